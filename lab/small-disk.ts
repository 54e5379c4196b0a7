import type { Host } from './machine.ts';
import { LabError } from './run.ts';

/** Where a host that has one keeps it; lab/host/init.sh mounts it at every boot. */
const IMAGE = '/var/lib/lab-datadir.img';
const FILLER = '/var/lib/mysql/.filler';

const asRoot = async (host: Host, script: string): Promise<void> => {
  const done = await host.exec(['bash', '-euc', script], { timeoutMs: 60_000 });
  if (done.exitCode !== 0) throw new LabError(`the disk of ${host.name}: ${done.stderr.trim() || done.stdout.trim()}`);
};

/** Moves the data directory to a disk of its own with so much room left. The server is restarted, and the disk outlives the power. */
export const giveSmallDisk = (host: Host, roomMb: number): Promise<void> =>
  asRoot(
    host,
    `service mariadb stop
     used=$(du -sm /var/lib/mysql | cut -f1)
     truncate -s $((used * 11 / 10 + ${String(roomMb)}))M ${IMAGE}
     mkfs.ext4 -q -m 0 -O ^has_journal ${IMAGE}
     mv /var/lib/mysql /var/lib/mysql.was
     mkdir /var/lib/mysql
     mount -o loop ${IMAGE} /var/lib/mysql
     cp -a /var/lib/mysql.was/. /var/lib/mysql
     rmdir /var/lib/mysql/lost+found
     rm -r /var/lib/mysql.was
     service mariadb start`,
  );

/** Leaves no byte on the disk of the data directory. */
export const fillDisk = (host: Host): Promise<void> =>
  asRoot(
    host,
    `mountpoint -q /var/lib/mysql
     fallocate -l $(($(stat -fc %a /var/lib/mysql) * $(stat -fc %S /var/lib/mysql))) ${FILLER} || true
     dd if=/dev/zero of=${FILLER} oflag=append conv=notrunc bs=4k status=none 2>/dev/null || true
     [ "$(stat -fc %a /var/lib/mysql)" -lt 8 ]`,
  );

export const freeDisk = (host: Host): Promise<void> => asRoot(host, `rm -f ${FILLER}`);
