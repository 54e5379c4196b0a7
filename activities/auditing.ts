import { readServerFacts, readBinlogBytes } from '../adapters/mariadb-audit.ts';
import type { ClusterPorts, RunbookPorts, Session } from '../adapters/ports.ts';
import { Passwords } from '../adapters/keepalived-configuration.ts';
import type { AuditFacts, HostFacts, Proof, Seen, ServerFacts } from '../domain/audit/facts.ts';
import { notSeen, seen } from '../domain/audit/facts.ts';
import { primaryFrom } from '../domain/audit/primary.ts';
import type { HostName } from '../domain/cluster.ts';
import { memberNames } from '../domain/cluster.ts';
import type { Known, MemberRecords, PrimaryRecord } from '../domain/records.ts';
import { recordedPrimary } from '../domain/records.ts';
import { LOOK_MS } from './asking.ts';
import { askBackup, askKeepalived, askMachine, askNextStart, look, measureLinks } from './auditing-host.ts';
import type { Activities } from './contract.ts';
import { recordsFrom } from './records-answer.ts';

/** Listing every table can take long on a server that has many. */
const SQL_MS = 15_000;
/** Over so long, at least, the growth of the binary log is measured. */
const GROWTH_MS = 1_000;

async function askServer(cluster: ClusterPorts, host: HostName): Promise<ServerFacts> {
  let session: Session | null = null;
  try {
    session = await cluster.session(host, { timeoutMs: LOOK_MS });
    const deadline = { timeoutMs: SQL_MS };
    const startedMs = performance.now();
    const before = await readBinlogBytes(session, deadline);
    const facts = await readServerFacts(session, (address) => cluster.nameOf(address), deadline);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, GROWTH_MS - (performance.now() - startedMs))));
    const after = await readBinlogBytes(session, deadline);
    const seconds = (performance.now() - startedMs) / 1_000;
    return { ...facts, binlogBytesPerSecond: before === null || after === null ? null : (after - before) / seconds };
  } finally {
    session?.close();
  }
}

const NO_DATABASE = notSeen('it is a witness, which has no database');

async function askHost(cluster: ClusterPorts, host: HostName, passwords: Passwords): Promise<HostFacts> {
  const isDatabase = cluster.description.hosts.some(({ name }) => name === host);
  const ofDatabase = <T>(question: () => Promise<T>): Promise<Seen<T>> =>
    isDatabase ? look(question) : Promise.resolve(NO_DATABASE);
  // One after the other: whatever else goes to this host meanwhile must not wait for the audit's turns. A helper that is silent is not asked again.
  const askHelper = async () => {
    const machine = await look(() => askMachine(cluster, host));
    if (machine.kind === 'not-seen') return { machine, nextStart: machine, keepalived: machine, backup: machine };
    return {
      machine,
      nextStart: await ofDatabase(() => askNextStart(cluster, host)),
      keepalived: await ofDatabase(() => askKeepalived(cluster, host, passwords)),
      backup: await ofDatabase(() => askBackup(cluster, host)),
    };
  };
  const [ofHelper, server, pinnedKeys] = await Promise.all([
    askHelper(),
    ofDatabase(() => askServer(cluster, host)),
    look(async () => (await cluster.pinnedKeys(host)).split('\n').filter((line) => line !== '').length),
  ]);
  return { host, isDatabase, server, pinnedKeys, ...ofHelper };
}

/** A member that is silent, or whose records are damaged, takes no part, as in a claim. */
async function askRecords(cluster: ClusterPorts): Promise<Known<PrimaryRecord>> {
  const members = memberNames(cluster.description);
  const asked = await Promise.all(
    members.map((host) =>
      look<MemberRecords>(async () => recordsFrom(host, await cluster.helper(host).request('records'))),
    ),
  );
  return recordedPrimary(
    asked.flatMap((one) => (one.kind === 'seen' ? [one.value] : [])),
    members.length,
  );
}

async function gather({ cluster: name }: { readonly cluster: string }, ports: RunbookPorts): Promise<AuditFacts> {
  const cluster = await ports.cluster(name);
  const passwords = new Passwords();
  const [recorded, hosts, proof, { version }] = await Promise.all([
    askRecords(cluster),
    Promise.all(memberNames(cluster.description).map((host) => askHost(cluster, host, passwords))),
    lookBack(ports, name),
    cluster.helperScript(),
  ]);
  // After the rest: hosts that are busy answering are farther away than they are.
  const links = await measureLinks(cluster, hosts);
  return {
    cluster: cluster.description,
    declared: cluster.declared,
    at: new Date().toISOString(),
    helperVersion: version,
    primary: primaryFrom(recorded, hosts),
    isRecorded: recorded.kind === 'known',
    hosts,
    links,
    proof,
  };
}

/** An audit that is carried out can reach Temporal; its list of ended runs may still be away. */
async function lookBack({ proofs }: RunbookPorts, cluster: string): Promise<Seen<Proof>> {
  try {
    return seen(await proofs.lastProof(cluster));
  } catch (error) {
    return notSeen(error instanceof Error ? error.message : String(error));
  }
}

export const auditingActivities = (ports: RunbookPorts): Pick<Activities, 'gatherAuditFacts'> => ({
  gatherAuditFacts: (input) => gather(input, ports),
});
