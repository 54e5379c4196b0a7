import { UPLOADS } from '../../lab/filesets.ts';

const DISK = '/srv/disk';
const HELD = '/srv/held';

/** The folder is the mount point of a disk of its own, as on a server; whatever state it is in, it is mounted afterwards. */
export const MOUNT = `mkdir -p ${DISK} ${UPLOADS} && { mountpoint -q ${UPLOADS} || mount --bind ${DISK} ${UPLOADS}; }`;

export interface Breakage {
  readonly side: 'source' | 'target';
  readonly breaks: string;
  readonly mends: string;
}

const hold = (what: string): Pick<Breakage, 'breaks' | 'mends'> => ({
  breaks: `mkdir -p ${HELD}; cd ${UPLOADS}; find . -mindepth 1 -maxdepth 1 ${what} -exec mv -t ${HELD} {} +`,
  mends: `cd ${HELD}; find . -mindepth 1 -maxdepth 1 -exec mv -t ${UPLOADS} {} +`,
});

const unmount: Pick<Breakage, 'breaks' | 'mends'> = { breaks: `umount -l ${UPLOADS}`, mends: MOUNT };
const vanish: Pick<Breakage, 'breaks' | 'mends'> = {
  breaks: `umount -l ${UPLOADS} && rmdir ${UPLOADS}`,
  mends: MOUNT,
};
const rename: Pick<Breakage, 'breaks' | 'mends'> = {
  breaks: `echo shop invoices >${UPLOADS}.standfast-fileset`,
  mends: `echo shop uploads >${UPLOADS}.standfast-fileset`,
};
const database: Pick<Breakage, 'breaks' | 'mends'> = {
  breaks: `touch ${UPLOADS}ibdata1`,
  mends: `rm ${UPLOADS}ibdata1`,
};

/** What would make a plain `rsync --delete` from cron delete or fill what it must not. */
export const BREAKAGES = {
  'source-unmounted': { side: 'source', ...unmount },
  'source-missing': { side: 'source', ...vanish },
  'source-emptied': { side: 'source', ...hold("! -name '.standfast*'") },
  'source-emptied-with-marker': { side: 'source', ...hold("! -name '.standfast-*'") },
  'source-halved': { side: 'source', ...hold('-name 2026') },
  'source-unmarked': { side: 'source', ...hold('-name .standfast') },
  'source-of-another': { side: 'source', ...rename },
  'source-database': { side: 'source', ...database },
  'target-unmounted': { side: 'target', ...unmount },
  'target-missing': { side: 'target', ...vanish },
  'target-of-another': { side: 'target', ...rename },
  'target-database': { side: 'target', ...database },
} as const satisfies Readonly<Record<string, Breakage>>;

export type BreakageKind = keyof typeof BREAKAGES;

export const KILLS = ['rsync-of-source', 'rsync-of-target', 'worker', 'host-of-source', 'host-of-target'] as const;
export type KillKind = (typeof KILLS)[number];
