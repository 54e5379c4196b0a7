import { log } from '@temporalio/workflow';
import { memberNames } from '../domain/cluster.ts';
import { answeredRecords } from '../domain/observation.ts';
import { recordedLineage, recordedPrimary, recordedSync } from '../domain/records.ts';
import type { Verdict } from '../domain/verdict.ts';
import { judgeReplication } from '../domain/verdict.ts';
import { failure } from './failures.ts';
import { brief } from './steps.ts';
import { namedFailure, sentenceOf } from './undo.ts';

/** For the report of something that is done: not knowing how the cluster is does not undo it. */
export async function lookIfPossible(cluster: string): Promise<Verdict | null> {
  try {
    return await lookAgain(cluster);
  } catch (error) {
    if (namedFailure(error) === null) throw error;
    log.warn('the cluster could not be judged', { why: sentenceOf(error) });
    return null;
  }
}

/** Observes, measures and judges. @throws `Unhealthy` when it is not known who is primary */
export async function lookAgain(cluster: string): Promise<Verdict> {
  const description = await brief(`read the inventory of ${cluster}`).describeCluster({ cluster });
  const observation = await brief('ask every member').observeCluster({ cluster });
  const records = answeredRecords(observation);
  const members = memberNames(description).length;
  const recorded = recordedPrimary(records, members);
  if (recorded.kind !== 'known') {
    const why = recorded.kind === 'nothing' ? 'nothing is recorded yet' : recorded.why;
    throw failure('Unhealthy', `it is not known who is primary of ${cluster}: ${why}`, { cluster });
  }
  const primary = recorded.record.host;
  const lag = await brief(`heartbeat row from ${primary}`).measureLag({ cluster, primary });
  const sync = recordedSync(records, members);
  return judgeReplication({
    cluster: description,
    observation,
    primary,
    sync: sync.kind === 'known' ? sync.record : null,
    lineage: recordedLineage(records, members),
    lag,
  });
}
