import { compareServers } from '../lab/checksums.ts';
import { Ledger } from '../lab/ledger/ledger.ts';
import { LabError, until } from '../lab/run.ts';
import type { Lab } from '../lab/lab.ts';

/** Who is to be what in the end. Whatever other host runs a server has to refuse writes. */
export interface Roles {
  readonly primary: string;
  readonly replicas: readonly string[];
  /** When the fault was made, on the clock of the ledger. */
  readonly faultAt?: number;
}

const WRITES_AFTER = 20;
const CONVERGE_MS = 30_000;

/**
 * I1 to I6, I8 and I10 of the safety rules, seen from outside: the ledger's books, the servers through their own sockets, the addresses of the hosts.
 * Nothing here asks the product. Ends the ledger.
 * @returns one sentence for everything that is broken
 */
export async function brokenInvariants(lab: Lab, ledger: Ledger, roles: Roles): Promise<readonly string[]> {
  const broken: string[] = [];
  const note = async (what: string, look: () => Promise<readonly string[]>): Promise<void> => {
    try {
      broken.push(...(await look()).map((one) => `${what}: ${one}`));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      broken.push(`${what}: ${error.message}`);
    }
  };
  await note('writes through the VIP', async () => {
    await ledger.acknowledged(WRITES_AFTER, { since: Ledger.now() });
    return [];
  });
  await ledger.stop();
  await note('I1 I2 I3 I8', () => ofLedger(ledger, roles));
  await note('I4', () => ofThreads(lab, roles));
  await note('I2 I4', () => ofWriters(lab, roles));
  await note('I6', () => ofVip(lab, roles));
  await note('I10', async () => {
    const { differing, tables } = await compareServers(lab, roles.primary, [roles.primary, ...roles.replicas]);
    return tables === 0 ? ['no table was compared'] : differing.map((table) => `${table} differs`);
  });
  await note('I5', () => ofErrant(lab, roles));
  return broken;
}

async function ofLedger(ledger: Ledger, { primary, faultAt }: Roles): Promise<readonly string[]> {
  const verdict = await ledger.verdict({ primary, ...(faultAt === undefined ? {} : { faultAt }) });
  const counts: readonly (readonly [string, number])[] = [
    ['acknowledged writes lost', verdict.lost.length],
    ['writes applied twice', verdict.duplicated.length],
    ['writes acknowledged by a second writer', verdict.twoWriters.length],
    ['refused writes that are there', verdict.refusedButPresent.length],
  ];
  const found = counts.filter(([, count]) => count > 0).map(([what, count]) => `${String(count)} ${what}`);
  return verdict.acknowledged === 0 ? [...found, 'nothing was ever acknowledged'] : found;
}

/** Hosts whose server accepts writes now. */
export async function writableHosts(lab: Lab): Promise<readonly string[]> {
  const found: string[] = [];
  for (const host of lab.hosts) {
    if (host.processes('mariadbd').length === 0) continue;
    const [[readOnly = ''] = []] = await host.sql('SELECT @@read_only');
    if (readOnly === '0') found.push(host.name);
  }
  return found;
}

async function ofWriters(lab: Lab, { primary }: Roles): Promise<readonly string[]> {
  const writable = await writableHosts(lab);
  return writable.join() === primary
    ? []
    : [`${writable.join(' and ') || 'no host'} accepts writes, and ${primary} is primary`];
}

/** Fields of SHOW SLAVE STATUS, or none when the host is no replica. */
export async function replicaStatus(lab: Lab, host: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await lab.host(host).exec(['mariadb', '-E', '-e', 'SHOW SLAVE STATUS'], { timeoutMs: 10_000 });
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const [, name, value] = /^\s*(\w+): (.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? ''] as const];
    }),
  );
}

async function ofThreads(lab: Lab, { primary, replicas }: Roles): Promise<readonly string[]> {
  const own = await replicaStatus(lab, primary);
  const found = own.size === 0 ? [] : [`the primary ${primary} still replicates from ${own.get('Master_Host') ?? ''}`];
  const wanted = `${lab.host(primary).address} Yes Yes`;
  for (const host of replicas) {
    let seen = '';
    await until(
      `threads of ${host}`,
      async () => {
        const status = await replicaStatus(lab, host);
        seen = ['Master_Host', 'Slave_IO_Running', 'Slave_SQL_Running']
          .map((name) => status.get(name) ?? '?')
          .join(' ');
        return seen === wanted ? true : undefined;
      },
      CONVERGE_MS,
    ).catch((error: unknown) => {
      if (!(error instanceof LabError)) throw error;
      found.push(`${host} shows source and threads ${seen}, not ${wanted}`);
    });
  }
  return found;
}

/** Hosts that hold the VIP now. */
async function vipHolders(lab: Lab): Promise<readonly string[]> {
  const found: string[] = [];
  for (const host of lab.hosts) {
    if (!host.isOn()) continue;
    const { stdout } = await host.exec(['ip', '-o', 'addr', 'show', 'dev', 'eth0']);
    if (stdout.includes(` ${lab.vip}/`)) found.push(host.name);
  }
  return found;
}

async function ofVip(lab: Lab, { primary }: Roles): Promise<readonly string[]> {
  const holders = await vipHolders(lab);
  return holders.join() === primary ? [] : [`the VIP is on ${holders.join(' and ') || 'no host'}, not on ${primary}`];
}

async function binlogState(lab: Lab, host: string): Promise<ReadonlyMap<string, number>> {
  const [[state = ''] = []] = await lab.host(host).sql('SELECT @@GLOBAL.gtid_binlog_state');
  return new Map(
    state
      .split(',')
      .filter(Boolean)
      .map((gtid) => {
        const [domain = '', server = '', sequence = '0'] = gtid.split('-');
        return [`${domain}-${server}`, Number(sequence)] as const;
      }),
  );
}

/** After everything was applied: whatever a replica has logged, its primary has logged as well. */
async function ofErrant(lab: Lab, { primary, replicas }: Roles): Promise<readonly string[]> {
  const known = await binlogState(lab, primary);
  const found: string[] = [];
  for (const host of replicas)
    for (const [origin, sequence] of await binlogState(lab, host))
      if (sequence > (known.get(origin) ?? 0))
        found.push(
          `${host} has ${origin}-${String(sequence)}, ${primary} has ${origin}-${String(known.get(origin) ?? 0)}`,
        );
  return found;
}
