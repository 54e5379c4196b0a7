import type { JudgedGrant } from './accounts.ts';
import { LET_ROOT_IN } from './accounts.ts';
import type { Check } from './checkup.ts';
import { fine, notAsked, wrong } from './checkup.ts';
import type { ClockOffset } from './clock.ts';
import type { HostDescription } from './cluster.ts';
import { judgeDeclaredId } from './likeness.ts';

/** The way to a host helper, each step behind the one before. */
const WAY = [
  { code: 'ssh', says: 'sshd answers' },
  { code: 'host-key', says: 'it shows a host key that is pinned' },
  { code: 'ssh-login', says: 'sshd accepts the key of access.ssh' },
  { code: 'sudo', says: 'sudo lets the account run the host helper' },
  { code: 'helper', says: 'the host helper answers' },
] as const;

export type WayStep = (typeof WAY)[number]['code'];

export interface Stopped {
  readonly step: WayStep;
  /** Nothing was sent: what is needed on this side is missing. */
  readonly isOffline: boolean;
  readonly says: string;
  readonly fix: string;
}

/** What the host helper said. */
export interface HelperFacts {
  readonly version: string;
  readonly wantedVersion: string;
  /** Ahead of this machine. */
  readonly clock: ClockOffset;
  /** Null: the helper is too old to be asked. */
  readonly installed: InstalledFacts | null;
}

export interface InstalledFacts {
  readonly keepalivedSha256: string;
  /** Null: the driver is `direct`. */
  readonly wantedKeepalivedSha256: string | null;
  readonly hasDropin: boolean;
  readonly dropinFile: string;
  /** By all its files together; null: the helper is too old to say it, or cannot. */
  readonly bootsClosed: boolean | null;
  /** The option that has the last word and opens it; empty: there is none. */
  readonly openedBy: string;
  /** What the server said to root over its socket. Null: it says nothing now, or the helper is too old to ask it. */
  readonly socketRoot: 'in' | { readonly denied: string } | null;
}

export interface ServerFacts {
  readonly account: string;
  /** As `VERSION()` says it, as `10.11.6-MariaDB-log`. */
  readonly version: string;
  readonly serverId: number;
  /** As the inventory has it. */
  readonly declared: HostDescription;
  /** Empty when the release is none that Standfast knows: other servers keep them elsewhere. */
  readonly grants: readonly JudgedGrant[];
}

/** `failed`: why, and what mends it. */
export type Found<T> =
  | { readonly kind: 'found'; readonly facts: T }
  | { readonly kind: 'failed'; readonly says: string; readonly fix: string };

export interface HostFacts {
  readonly cluster: string;
  readonly host: string;
  readonly helper: { readonly kind: 'found'; readonly facts: HelperFacts } | ({ readonly kind: 'stopped' } & Stopped);
  /** Null: a witness. */
  readonly server: Found<ServerFacts> | null;
}

const SUPPORTED_SERIES = '10.11';

export const isSupported = (version: string): boolean =>
  version.startsWith(`${SUPPORTED_SERIES}.`) && version.includes('MariaDB');

/** Two hosts whose clocks are each within it of this machine's are within a second of each other. */
const CLOCK_MS = 500;

/** Everything that Standfast needs of one host, in the order in which it has to be mended. */
export function judgeHost(facts: HostFacts): readonly Check[] {
  const { helper, host, server } = facts;
  const isDatabase = server !== null;
  return [
    ...judgeWay(host, helper.kind === 'stopped' ? helper : null),
    ...(helper.kind === 'found'
      ? judgeHelper(facts, helper.facts)
      : [
          ...codes(['helper-version', 'clock'], host, 'the host helper was not reached'),
          ...(isDatabase ? codes(ON_DATABASES, host, 'the host helper was not reached') : []),
        ]),
    ...(server === null ? [] : judgeServer(host, server)),
  ];
}

const ON_DATABASES = ['vip', 'boots-closed', 'socket-root'] as const;

const codes = (list: readonly string[], where: string, why: string): readonly Check[] =>
  list.map((code) => notAsked({ code, where }, why));

function judgeWay(where: string, stopped: Stopped | null): readonly Check[] {
  const at = stopped === null ? WAY.length : WAY.findIndex(({ code }) => code === stopped.step);
  return WAY.map(({ code, says }, index) => {
    if (index < at && stopped?.isOffline !== true) return fine({ code, where }, says);
    if (index !== at || stopped === null)
      return notAsked({ code, where }, `${stopped?.step ?? ''} has to be mended first`);
    return wrong({ code, where }, stopped.says, stopped.fix);
  });
}

function judgeHelper(facts: HostFacts, helper: HelperFacts): readonly Check[] {
  const { cluster, host: where } = facts;
  return [
    judgeVersion(facts, helper),
    judgeClock(where, helper.clock),
    ...(facts.server === null
      ? []
      : helper.installed === null
        ? codes(ON_DATABASES, where, 'the host helper is too old to say it')
        : judgeInstalled({ cluster, where }, helper.installed)),
  ];
}

function judgeVersion({ cluster, host: where }: HostFacts, { version, wantedVersion }: HelperFacts): Check {
  const place = { code: 'helper-version', where };
  if (version === wantedVersion) return fine(place, `the host helper is of this version (${version})`);
  return wrong(
    place,
    `the host helper is version ${version}, and this Standfast has ${wantedVersion}`,
    `standfast prepare ${cluster} PRIMARY, which brings every helper up to date; or adapters/host/install.sh on ${where}`,
  );
}

function judgeClock(where: string, { offsetMs, errorMs }: ClockOffset): Check {
  const place = { code: 'clock', where };
  const ahead = `${String(Math.round(Math.abs(offsetMs)))} ms ${offsetMs < 0 ? 'behind' : 'ahead of'} this machine's (±${String(Math.ceil(errorMs))} ms)`;
  if (Math.abs(offsetMs) - errorMs <= CLOCK_MS) return fine(place, `its clock is ${ahead}`);
  return wrong(
    place,
    `its clock is ${ahead}: logs and times of different hosts cannot be put in order`,
    `let chrony or ntpd keep the clock of ${where}, and of this machine (chronyc tracking shows which one is off)`,
  );
}

function judgeInstalled(
  { cluster, where }: { readonly cluster: string; readonly where: string },
  installed: InstalledFacts,
): readonly Check[] {
  const prepare = `standfast prepare ${cluster} PRIMARY, which writes it`;
  const { keepalivedSha256: found, wantedKeepalivedSha256: wanted } = installed;
  const vip = { code: 'vip', where };
  return [
    wanted === null
      ? fine(vip, 'the host helper alone holds the VIP (vip.driver is direct)')
      : found === wanted
        ? fine(vip, 'keepalived has the configuration of this inventory')
        : wrong(
            vip,
            found === ''
              ? 'keepalived has no configuration'
              : 'keepalived has a configuration that is not the one of this inventory: it may move the VIP by rules of its own',
            prepare,
          ),
    judgeBoot(where, installed, prepare),
    judgeSocketRoot(where, installed),
  ];
}

function judgeSocketRoot(where: string, { socketRoot }: InstalledFacts): Check {
  const place = { code: 'socket-root', where };
  if (socketRoot === null)
    return notAsked(place, 'its server says nothing on its socket, or the host helper is too old');
  if (socketRoot === 'in') return fine(place, 'its server lets root in over its socket');
  return wrong(
    place,
    `its server denies root the login over its socket, so no operation can end older sessions there, and it counts for none (${socketRoot.denied})`,
    LET_ROOT_IN,
  );
}

function judgeBoot(where: string, installed: InstalledFacts, prepare: string): Check {
  const place = { code: 'boots-closed', where };
  const { hasDropin, dropinFile, bootsClosed, openedBy } = installed;
  if (!hasDropin)
    return wrong(
      place,
      `its server would boot as its own configuration says, perhaps open: ${dropinFile} is missing`,
      prepare,
    );
  if (bootsClosed === null) return notAsked(place, 'the host helper is too old to say it, or has no my_print_defaults');
  if (bootsClosed) return fine(place, `its server boots closed (${dropinFile})`);
  return wrong(
    place,
    openedBy === ''
      ? `its server would boot open: ${dropinFile} is not read, or does not say read_only`
      : `its server would boot open: ${openedBy} is read after ${dropinFile}`,
    openedBy === ''
      ? prepare
      : `remove that setting on ${where}, or name the last file read as dropin= in /etc/standfast/host.conf`,
  );
}

function judgeServer(where: string, server: Found<ServerFacts>): readonly Check[] {
  const place = { code: 'sql', where };
  const grant = { code: 'grant', where };
  const release = { code: 'release', where };
  if (server.kind === 'failed') {
    const why = 'nobody could log in to its server';
    return [wrong(place, server.says, server.fix), ...codes(['release', 'server-id', 'grant'], where, why)];
  }
  const { account, version, grants } = server.facts;
  const letsIn = fine(place, `its server lets ${account} in`);
  if (!isSupported(version))
    return [
      letsIn,
      wrong(
        release,
        `its server is ${version}, and Standfast is made for, and tried with, MariaDB ${SUPPORTED_SERIES} alone`,
        `run MariaDB ${SUPPORTED_SERIES} on every host of the cluster`,
      ),
      ...codes(['server-id', 'grant'], where, 'its server is of another release'),
    ];
  return [
    letsIn,
    fine(release, `its server is ${version}`),
    judgeId(where, server.facts),
    ...grants.map(({ account: role, on, privilege, isHeld, statement }) =>
      isHeld
        ? fine(grant, `the ${role} account has ${privilege} ON ${on}`)
        : wrong(grant, `the ${role} account lacks ${privilege} ON ${on}`, `on the primary: ${statement}`),
    ),
  ];
}

function judgeId(where: string, { serverId, declared }: ServerFacts): Check {
  const place = { code: 'server-id', where };
  const [obstacle] = judgeDeclaredId(declared, serverId);
  return obstacle === undefined
    ? fine(place, `its server_id is ${String(serverId)}, as in the inventory`)
    : wrong(place, obstacle.explains, obstacle.remedy);
}
