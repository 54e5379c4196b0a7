import type {
  AdmitReplicaInput,
  FailoverInput,
  GoAsyncInput,
  PreparePrimaryInput,
  ProvisionReplicaInput,
  RemoveAckerInput,
  RejoinReplicaInput,
  VerifyReplicationInput,
} from '../domain/inputs.ts';
import type { VerifyResult } from '../domain/report.ts';
import type { AcceptInput } from './accepting.ts';
import type { GlobalOptions } from './cli-io.ts';
import type { Job } from './cli-session.ts';
import { runbookJob } from './cli-session.ts';
import { EXIT, StandfastError } from './errors.ts';
import type { StandfastApi } from './standfast.ts';
import { unhealthyVerdict } from './unhealthy.ts';
import type { WaitOptions } from './waiting.ts';

// Renderers are loaded when there is something to render: the first line must not wait for them.

export const verifyJob = (input: VerifyReplicationInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `verify ${input.cluster}`,
    kind: 'Verify',
    options,
    call: (client, how) => verdictOrFailure(client, input, how),
    text: async (answer, paint) => (await import('./render-verdict.ts')).renderVerdict(answer.verdict, paint),
    exitCode: ({ outcome }) => (outcome === 'bad' ? EXIT.findings : 0),
  });

type BadVerify = Omit<VerifyResult, 'outcome'> & { readonly outcome: VerifyResult['outcome'] | 'bad' };

/** A bad verdict is the answer that was asked for: it is printed as data, and the exit code tells. */
async function verdictOrFailure(
  client: StandfastApi,
  input: VerifyReplicationInput,
  options: WaitOptions & { readonly detach?: boolean | undefined },
) {
  try {
    return await client.verify(input, options);
  } catch (error) {
    const verdict = error instanceof StandfastError ? unhealthyVerdict(error) : null;
    if (verdict === null) throw error;
    const bad: BadVerify = { outcome: 'bad', cluster: input.cluster, verdict };
    return bad;
  }
}

export const lagJob = ({ cluster, shard }: { readonly cluster: string; readonly shard: string }): Job => ({
  title: `lag of ${cluster}`,
  work: async (client) => {
    const delays = (await client.lag(shard)).filter((one) => one.cluster === cluster);
    return {
      kind: 'Lag',
      data: { cluster, shard, replicas: delays },
      text: async () => (await import('./render-lag.ts')).renderLag(cluster, shard, delays),
    };
  },
});

export const provisionJob = (input: ProvisionReplicaInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `provision ${input.host} of ${input.cluster} from ${input.from ?? 'its primary'}`,
    kind: 'Provision',
    options,
    call: (client, how) => client.provisionReplica(input, how),
    text: async (answer, paint) => (await import('./render-results.ts')).renderProvision(answer, paint),
  });

export const rejoinJob = (input: RejoinReplicaInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `bring ${input.host} back to ${input.cluster}`,
    kind: 'Rejoin',
    options,
    call: (client, how) => client.rejoinReplica(input, how),
    text: async (answer, paint) => (await import('./render-rejoin.ts')).renderRejoin(answer, paint),
    exitCode: ({ outcome }) => (outcome === 'quarantined' ? EXIT.findings : 0),
  });

export const prepareJob = (input: PreparePrimaryInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `prepare ${input.host} as the primary of ${input.cluster}`,
    kind: 'Prepare',
    options,
    call: (client, how) => client.preparePrimary(input, how),
    text: async (answer, paint) => (await import('./render-results.ts')).renderPrepare(answer, paint),
  });

export const failoverJob = (input: FailoverInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `fail over ${input.cluster}${input.candidate === undefined ? '' : ` to ${input.candidate}`}`,
    kind: 'Failover',
    options,
    call: (client, how) => client.failover(input, how),
    text: async (answer, paint) => (await import('./render-results.ts')).renderFailover(answer, paint),
  });

/** A plan that would refuse is the answer that was asked for; the exit code is that of the refusal. */
export const planFailoverJob = (input: FailoverInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `plan a failover of ${input.cluster}`,
    kind: 'FailoverPlan',
    options,
    call: (client, how) => client.planFailover(planOrder(input), how),
    text: async (answer, paint) => (await import('./render-plan.ts')).renderPlan(answer, paint),
    exitCode: ({ outcome }) => (outcome === 'would-refuse' ? EXIT.refused : 0),
  });

const planOrder = ({ cluster, candidate }: FailoverInput): Pick<FailoverInput, 'cluster' | 'candidate'> => ({
  cluster,
  ...(candidate !== undefined && { candidate }),
});

export const addAckerJob = (input: AdmitReplicaInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `make ${input.host} an acker of ${input.cluster}`,
    kind: 'Admit',
    options,
    call: (client, how) => client.admitReplica(input, how),
    text: async (answer, paint) => (await import('./render-ackers.ts')).renderAdmit(answer, paint),
  });

export const removeAckerJob = (input: RemoveAckerInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `remove ${input.host} from the ackers of ${input.cluster}`,
    kind: 'RemoveAcker',
    options,
    call: (client, how) => client.removeAcker(input, how),
    text: async (answer, paint) => (await import('./render-ackers.ts')).renderAckersLeft(answer, paint),
  });

export const goAsyncJob = (input: GoAsyncInput, options: GlobalOptions): Job =>
  runbookJob({
    title: `let the primary of ${input.cluster} go on without acknowledgements`,
    kind: 'GoAsync',
    options,
    call: (client, how) => client.goAsync(input, how),
    text: async (answer, paint) => (await import('./render-ackers.ts')).renderAckersLeft(answer, paint),
  });

export const acceptJob = (input: AcceptInput): Job => ({
  title: `accept what the failover of ${input.cluster} cannot prove`,
  work: async (client) => {
    const taken = await client.accept(input);
    return {
      kind: 'Acceptance',
      data: { cluster: input.cluster, ...taken },
      text: () => `accepted by ${taken.by}; the failover of ${input.cluster} goes on`,
    };
  },
});
