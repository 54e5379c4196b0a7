import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, executeChild, sleep, workflowInfo } from '@temporalio/workflow';
import type { ProvisionPlan, Transfer } from '../activities/contract.ts';
import type { ProvisionReplicaInput } from '../domain/inputs.ts';
import { parseProvisionReplica } from '../domain/inputs.ts';
import type { AdmitResult, ProvisionResult } from '../domain/report.ts';
import { admitReplica } from './admit-replica.ts';
import { failure } from './failures.ts';
import { accept, atAddress, label, operationId, provisionId } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, long } from './steps.ts';
import type { UndoStack } from './undo.ts';
import { compensated, factsOf } from './undo.ts';

const PHASES = ['plan', 'copy', 'install', 'start', 'prove', 'admit'];
const LOCK_POLL = '500ms';
const LOCK_POLLS = 1_200;

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
  page.enter('admit');
  await admit(order, undo);
  undo.commit(`${host} is admitted and replicates; files of the copy may be left on ${plan.donor} and ${host}`);
  await brief('remove what the copy needed').keepSnapshot(transfer);
  page.end('admitted');
  return {
    outcome: 'admitted',
    cluster,
    host,
    donor: plan.donor,
    ...made,
    timeline: [],
    sentence: `${host} replicates from ${plan.primary} and counts: ${String(made.checksum.tables)} tables equal at ${made.checksum.position}`,
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

/** Waits for the cluster's lock: an admission is short, and so is what it may have to wait for. */
async function admit({ cluster, host }: ProvisionReplicaInput, undo: UndoStack): Promise<AdmitResult> {
  for (let poll = 0; poll < LOCK_POLLS; poll += 1) {
    try {
      return await executeChild(admitReplica, {
        workflowId: operationId(cluster),
        args: [{ cluster, host }],
        workflowTaskTimeout: '1s',
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw keepingWhatCounts(error, host, undo);
      await sleep(LOCK_POLL);
    }
  }
  throw failure('Busy', `${operationId(cluster)} did not become free, so ${host} was not admitted`, { host });
}

/** A replica that could not be taken out again may still acknowledge: emptying it now could stop every write. */
function keepingWhatCounts(error: unknown, host: string, undo: UndoStack): unknown {
  const { notUndone = [] } = factsOf(error);
  if (notUndone.length > 0) undo.commit(`${host} was not emptied: ${notUndone.join('; ')}`);
  return error;
}
