import { workflowInfo } from '@temporalio/workflow';
import type { ProvisionPlan, Transfer } from '../activities/contract.ts';
import { provisionId } from '../domain/addresses.ts';
import type { ProvisionReplicaInput } from '../domain/inputs.ts';
import { parseProvisionReplica } from '../domain/inputs.ts';
import type { ProvisionResult } from '../domain/report.ts';
import { admitReplica, toAdmit } from './admit-replica.ts';
import { accept, atAddress, label } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, long } from './steps.ts';
import { underLock } from './under-lock.ts';
import type { UndoStack } from './undo.ts';
import { compensated } from './undo.ts';

const PHASES = ['plan', 'copy', 'install', 'start', 'prove', 'admit'];

/** Makes a replica from a snapshot of a running primary: copied from host to host, started closed, proven row by row, then admitted. */
export async function provisionReplica(input: unknown): Promise<ProvisionResult> {
  const order = accept(parseProvisionReplica(input));
  label('provisionReplica', order.cluster);
  return atAddress(provisionId(order.cluster, order.host), order, () =>
    compensated(`provisioning ${order.host} of ${order.cluster}`, (undo) => provision(order, undo)),
  );
}

async function provision(order: ProvisionReplicaInput, undo: UndoStack): Promise<ProvisionResult> {
  const { cluster, host } = order;
  const page = new RunPage(`Provision ${host} of ${cluster}`, PHASES);
  page.enter('plan');
  await brief(`read the inventory of ${cluster}`).describeCluster({ cluster });
  const plan = await brief(`may ${host} become a replica?`).planProvision({ cluster, host, from: order.from ?? null });
  page.note(`${plan.donor} → ${host}, about ${String(Math.round(plan.estimatedBytes / 1e6))} MB`);
  const transfer: Transfer = { cluster, donor: plan.donor, target: host, job: workflowInfo().runId };
  const made = await make(plan, transfer, { undo, page });
  const tidy = (): Promise<void> => brief('remove what the copy needed').keepSnapshot(transfer);
  // A proven copy is worth its hours, and does no harm: it acknowledges nothing.
  undo.commit(`${host} is proven and replicates from ${plan.primary}; to make it count: ${toAdmit(order)}`);
  undo.push(async () => {
    await tidy();
    return { undone: [`what the copy needed is removed from ${plan.donor} and ${host}`], notUndone: [] };
  });
  page.enter('admit');
  const { mode } = await underLock(admitReplica, { cluster, host }, 'admitted');
  undo.commit(`${host} is admitted and replicates; files of the copy may be left on ${plan.donor} and ${host}`);
  await tidy();
  page.end('admitted');
  return {
    outcome: 'admitted',
    cluster,
    host,
    donor: plan.donor,
    ...made,
    timeline: [],
    sentence: `${host} replicates from ${plan.primary}${mode === 'lossless' ? ' and counts' : ''}: ${String(made.checksum.tables)} tables equal at ${made.checksum.position}`,
  };
}

/** Everything up to a proven replica; undone by cleaning both hosts. */
async function make(
  plan: ProvisionPlan,
  transfer: Transfer,
  { undo, page }: { readonly undo: UndoStack; readonly page: RunPage },
): Promise<Pick<ProvisionResult, 'bytes' | 'snapshot' | 'checksum'>> {
  const { primary, estimatedBytes } = plan;
  const { donor, target } = transfer;
  undo.push(() => long(`clean ${target} and ${donor}`).cleanTransfer(transfer));
  page.enter('copy');
  await brief(`let ${donor} in on ${target}`).openTransfer({ ...transfer, estimatedBytes });
  const { bytes } = await long(`copy ${donor} to ${target}`).copySnapshot(transfer);
  page.enter('install');
  const { position } = await long(`prepare the snapshot on ${target}`).installSnapshot({ ...transfer, bytes });
  page.note(`Snapshot of ${String(bytes)} bytes at GTID \`${position}\``);
  page.enter('start');
  await long(`start ${target}, replicating from ${primary}`).startReplica({ ...transfer, primary, position });
  page.enter('prove');
  const checksum = await long(`compare the rows of ${target} with ${primary}`).proveReplica({ ...transfer, primary });
  return { bytes, snapshot: position, checksum };
}
