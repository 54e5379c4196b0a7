import { workflowInfo } from '@temporalio/workflow';
import type { ChecksumProof } from '../activities/contract.ts';
import { rejoinId } from '../domain/addresses.ts';
import type { RejoinReplicaInput } from '../domain/inputs.ts';
import { parseRejoinReplica } from '../domain/inputs.ts';
import type { RejoinResult, Repointed } from '../domain/rejoin.ts';
import { describeTails, rebuildRemedy } from '../domain/rejoin.ts';
import { admitReplica, toAdmit } from './admit-replica.ts';
import { accept, atAddress, label, requireHost } from './operation.ts';
import { RunPage } from './progress.ts';
import { repointReplica } from './repoint-replica.ts';
import { brief, long } from './steps.ts';
import { underLock } from './under-lock.ts';
import type { UndoStack } from './undo.ts';
import { compensated } from './undo.ts';

const PHASES = ['follow', 'prove', 'admit'];

/** An old primary, or a replica that was away, comes back: clean, it follows the primary and counts again; diverged, what only it has is set aside. */
export async function rejoinReplica(input: unknown): Promise<RejoinResult> {
  const order = accept(parseRejoinReplica(input));
  const { cluster, host } = order;
  label('rejoinReplica', cluster);
  return atAddress(rejoinId(cluster, host), order, () =>
    compensated(`the return of ${host} to ${cluster}`, (undo) => rejoin(order, undo)),
  );
}

async function rejoin({ cluster, host }: RejoinReplicaInput, undo: UndoStack): Promise<RejoinResult> {
  const page = new RunPage(`Return of ${host} to ${cluster}`, PHASES);
  requireHost(await brief(`read the inventory of ${cluster}`).describeCluster({ cluster }), host);
  page.enter('follow');
  const found = await underLock(repointReplica, { cluster, host }, 'brought back');
  const { primary, timeline } = found;
  if (found.kind === 'diverged') return quarantined({ cluster, host, page }, found);
  const ended = { outcome: 'rejoined', cluster, host, primary } as const;
  if (found.kind === 'counts') {
    page.end('rejoined');
    const sentence = `${host} follows ${primary} and counts already; nothing was changed`;
    return { ...ended, checksum: null, mode: 'lossless', timeline, sentence };
  }
  // What vouches for writes is not stopped for a comparison, and was proven when it became an acker.
  const checksum = found.kind === 'listed' ? null : await prove({ cluster, host }, found, { undo, page });
  page.enter('admit');
  const { mode, timeline: admission } = await underLock(admitReplica, { cluster, host }, 'admitted');
  page.end('rejoined');
  const again = mode === 'lossless' ? 'and counts again' : 'again';
  const rows =
    checksum === null
      ? 'it is an acker on record, so its rows were not compared'
      : `${String(checksum.tables)} tables equal at ${checksum.position}`;
  const sentence = `${host} replicates from ${primary} ${again}: ${rows}`;
  return { ...ended, checksum, mode, timeline: [...timeline, ...admission], sentence };
}

async function prove(
  { cluster, host }: RejoinReplicaInput,
  { primary, followedBefore }: Repointed,
  { undo, page }: { readonly undo: UndoStack; readonly page: RunPage },
): Promise<ChecksumProof> {
  const what = followedBefore ? `${host} replicates as before` : `${host} follows nobody`;
  undo.push(() => brief(`undo: ${what}`).undoRejoin({ cluster, host, followedBefore }));
  page.enter('prove');
  const { runId: job } = workflowInfo();
  const checksum = await long(`compare the rows of ${host} with ${primary}`).proveReplica({
    ...{ cluster, job, primary },
    donor: primary,
    target: host,
  });
  undo.commit(`${host} is proven and replicates from ${primary}; to make it count: ${toAdmit({ cluster, host })}`);
  return checksum;
}

function quarantined(
  { cluster, host, page }: { readonly cluster: string; readonly host: string; readonly page: RunPage },
  { primary, tails, timeline }: Extract<Repointed, { kind: 'diverged' }>,
): RejoinResult {
  const remedy = rebuildRemedy(cluster, host, tails);
  const sentence = `${describeTails(host, tails)}. Its server is down and stays so`;
  page.note(sentence);
  page.end('quarantined', remedy);
  return { outcome: 'quarantined', cluster, host, primary, tails, remedy, timeline, sentence };
}
