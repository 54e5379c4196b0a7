import type { RemoteResult } from './plain-ssh.ts';
import type { CronRsync, FoundRsyncs, UnreadRsync } from './cron-rsync.ts';
import { findRsyncs, parseCronLines, scriptsIn } from './cron-rsync.ts';
import type { KeepalivedFile } from './keepalived-file.ts';
import { parseKeepalivedFile } from './keepalived-file.ts';

/** Runs a program on one host, as somebody who may read everything. */
export type RemoteRun = (argv: readonly string[]) => Promise<RemoteResult>;

export interface ClassicServer {
  readonly serverId: number;
  readonly port: number;
  readonly version: string;
  readonly reportHost: string;
  readonly isReadOnly: boolean;
  readonly waitsForAck: boolean;
  readonly source: { readonly host: string; readonly user: string } | null;
  /** Addresses of the replicas that are connected now. */
  readonly replicas: readonly string[];
  readonly databases: readonly string[];
  /** What binlog_do_db and replicate_do_db name; empty: no such filter. */
  readonly filtered: readonly string[];
}

/** A host that Standfast does not know yet, as far as it could be read. */
export interface ClassicHost {
  readonly hostname: string;
  readonly addresses: readonly { readonly device: string; readonly address: string; readonly prefix: number }[];
  /** Null: no server answered, for the reason `serverSilence`. */
  readonly server: ClassicServer | null;
  readonly serverSilence: string | null;
  /** Null: there is no configuration of keepalived, or it may not be read. */
  readonly keepalived: KeepalivedFile | null;
  readonly rsyncs: readonly CronRsync[];
  readonly unreadRsyncs: readonly (UnreadRsync & { readonly file: string })[];
}

/** Reads, and changes nothing. At most eight programs run at once. @throws PlainSshError */
export async function readClassicHost(run: RemoteRun): Promise<ClassicHost> {
  const [hostname, addresses, keepalived, server, rsyncs] = await Promise.all([
    run(['hostname', '-s']),
    run(['ip', '-4', '-o', 'address', 'show']),
    run(['cat', '/etc/keepalived/keepalived.conf']),
    readServer(run),
    readRsyncs(run),
  ]);
  return {
    hostname: hostname.stdout.trim(),
    addresses: addressesFrom(addresses.stdout),
    server: typeof server === 'string' ? null : server,
    serverSilence: typeof server === 'string' ? server : null,
    keepalived: keepalived.exitCode === 0 ? parseKeepalivedFile(keepalived.stdout) : null,
    ...rsyncs,
  };
}

const addressesFrom = (text: string): ClassicHost['addresses'] =>
  [...text.matchAll(/^\d+:\s+(\S+)\s+inet\s+([\d.]+)\/(\d+)/gm)].map(([, device = '', address = '', prefix = '']) => ({
    device,
    address,
    prefix: Number(prefix),
  }));

/** crontab(5)'s places on Debian and its like; each user's own included. */
async function readRsyncs(run: RemoteRun): Promise<Pick<ClassicHost, 'rsyncs' | 'unreadRsyncs'>> {
  const crontabs = await run(['grep', '-rHns', '.', '/etc/crontab', '/etc/cron.d', '/var/spool/cron']);
  const rsyncs: CronRsync[] = [];
  const unreadRsyncs: ClassicHost['unreadRsyncs'][number][] = [];
  const note = (
    { rsyncs: read, unread }: FoundRsyncs,
    placeOf: (line: number) => { file: string; line: number },
  ): void => {
    rsyncs.push(...read);
    unreadRsyncs.push(...unread.map(({ line, why }) => ({ ...placeOf(line), why })));
  };
  for (const { command, everyMinutes, ...place } of parseCronLines(crontabs.stdout)) {
    note(findRsyncs(command, everyMinutes), () => place);
    for (const script of scriptsIn(command)) {
      const text = await run(['head', '-c', '65536', '--', script]);
      if (text.exitCode === 0 && text.stdout.startsWith('#!'))
        note(findRsyncs(text.stdout, everyMinutes), (line) => ({ file: script, line }));
    }
  }
  return { rsyncs, unreadRsyncs };
}

type Rows = readonly Readonly<Record<string, string>>[];

const STATUS = `SELECT @@GLOBAL.server_id AS server_id, @@GLOBAL.port AS port, VERSION() AS version, COALESCE(@@GLOBAL.report_host, '') AS report_host,
  @@GLOBAL.read_only AS read_only, @@GLOBAL.rpl_semi_sync_master_enabled AS waits`;

/** A text: why nothing was read. */
async function readServer(run: RemoteRun): Promise<ClassicServer | string> {
  try {
    // Whether anything answers is asked first, and alone.
    const [status = {}] = await ask(run, STATUS);
    const [channels, [binlog = {}], dumps, databases] = await Promise.all([
      ask(run, 'SHOW ALL SLAVES STATUS'),
      ask(run, 'SHOW MASTER STATUS'),
      ask(run, "SELECT HOST AS host FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"),
      ask(run, 'SHOW DATABASES'),
    ]);
    const channel = channels.find((row) => row['Connection_name'] === '') ?? channels[0];
    return {
      serverId: Number(status['server_id']),
      port: Number(status['port']),
      version: status['version'] ?? '',
      reportHost: status['report_host'] ?? '',
      isReadOnly: status['read_only'] !== '0',
      waitsForAck: status['waits'] === '1',
      source: channel === undefined ? null : { host: channel['Master_Host'] ?? '', user: channel['Master_User'] ?? '' },
      replicas: [...new Set(dumps.map(({ host = '' }) => host.replace(/:\d+$/, '')))],
      databases: databases.flatMap((row) => Object.values(row)),
      filtered: listed(binlog['Binlog_Do_DB'], channel?.['Replicate_Do_DB']),
    };
  } catch (error) {
    if (error instanceof SqlSilence) return error.message;
    throw error;
  }
}

const listed = (...lists: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(lists.flatMap((list) => (list ?? '').split(',')).filter(Boolean)),
];

/** The client program, or the server behind it, gave no answer. */
class SqlSilence extends Error {
  override readonly name = 'SqlSilence';
}

/** Over the socket, as root. A batch writes a head, and one row a line, with tabs between. */
async function ask(run: RemoteRun, statement: string): Promise<Rows> {
  const { exitCode, stdout, stderr } = await run(['mariadb', '--batch', '--execute', statement]);
  if (exitCode !== 0)
    throw new SqlSilence(stderr.trim().split('\n').at(-1) ?? `mariadb ended with ${String(exitCode)}`);
  const [head = '', ...rows] = stdout.split('\n').filter((line) => line !== '');
  const names = head.split('\t');
  return rows.map((row) => Object.fromEntries(row.split('\t').map((value, index) => [names[index] ?? '', value])));
}
