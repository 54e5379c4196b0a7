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
import type { Job, Report } from './cli-session.ts';
import { detachedReport, isRunReference } from './cli-session.ts';
import { StandfastError } from './errors.ts';
import type { StandfastApi } from './standfast.ts';
import { unhealthyVerdict } from './unhealthy.ts';
import type { WaitOptions } from './waiting.ts';

// Renderers are loaded when there is something to render: the first line must not wait for them.

export const verifyJob = (input: VerifyReplicationInput, options: GlobalOptions): Job => ({
  title: `verify ${input.cluster}`,
  work: async (client, wait) => {
    const answer = await verdictOrFailure(client, input, { ...wait, detach: options.detach });
    return isRunReference(answer) ? detachedReport(answer) : verifyReport(answer);
  },
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

const verifyReport = (result: BadVerify): Report => ({
  kind: 'Verify',
  data: result,
  text: async (paint) => (await import('./render-verdict.ts')).renderVerdict(result.verdict, paint),
  exitCode: result.outcome === 'bad' ? 10 : 0,
});

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

export const provisionJob = (input: ProvisionReplicaInput, options: GlobalOptions): Job => ({
  title: `provision ${input.host} of ${input.cluster} from ${input.from ?? 'its primary'}`,
  work: async (client, wait) => {
    const answer = await client.provisionReplica(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'Provision',
      data: answer,
      text: async (paint) => (await import('./render-results.ts')).renderProvision(answer, paint),
    };
  },
});

export const rejoinJob = (input: RejoinReplicaInput, options: GlobalOptions): Job => ({
  title: `bring ${input.host} back to ${input.cluster}`,
  work: async (client, wait) => {
    const answer = await client.rejoinReplica(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'Rejoin',
      data: answer,
      text: async (paint) => (await import('./render-rejoin.ts')).renderRejoin(answer, paint),
      exitCode: answer.outcome === 'quarantined' ? 10 : 0,
    };
  },
});

export const prepareJob = (input: PreparePrimaryInput, options: GlobalOptions): Job => ({
  title: `prepare ${input.host} as the primary of ${input.cluster}`,
  work: async (client, wait) => {
    const answer = await client.preparePrimary(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'Prepare',
      data: answer,
      text: async (paint) => (await import('./render-results.ts')).renderPrepare(answer, paint),
    };
  },
});

export const failoverJob = (input: FailoverInput, options: GlobalOptions): Job => ({
  title: `fail over ${input.cluster}${input.candidate === undefined ? '' : ` to ${input.candidate}`}`,
  work: async (client, wait) => {
    const answer = await client.failover(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'Failover',
      data: answer,
      text: async (paint) => (await import('./render-results.ts')).renderFailover(answer, paint),
    };
  },
});

/** A plan that would refuse is the answer that was asked for; the exit code is that of the refusal. */
export const planFailoverJob = (input: FailoverInput, options: GlobalOptions): Job => ({
  title: `plan a failover of ${input.cluster}`,
  work: async (client, wait) => {
    const { cluster, candidate } = input;
    const order = { cluster, ...(candidate !== undefined && { candidate }) };
    const answer = await client.planFailover(order, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'FailoverPlan',
      data: answer,
      text: async (paint) => (await import('./render-plan.ts')).renderPlan(answer, paint),
      exitCode: answer.outcome === 'would-refuse' ? 4 : 0,
    };
  },
});

export const addAckerJob = (input: AdmitReplicaInput, options: GlobalOptions): Job => ({
  title: `make ${input.host} an acker of ${input.cluster}`,
  work: async (client, wait) => {
    const answer = await client.admitReplica(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'Admit',
      data: answer,
      text: async (paint) => (await import('./render-ackers.ts')).renderAdmit(answer, paint),
    };
  },
});

export const removeAckerJob = (input: RemoveAckerInput, options: GlobalOptions): Job => ({
  title: `remove ${input.host} from the ackers of ${input.cluster}`,
  work: async (client, wait) => {
    const answer = await client.removeAcker(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'RemoveAcker',
      data: answer,
      text: async (paint) => (await import('./render-ackers.ts')).renderAckersLeft(answer, paint),
    };
  },
});

export const goAsyncJob = (input: GoAsyncInput, options: GlobalOptions): Job => ({
  title: `let the primary of ${input.cluster} go on without acknowledgements`,
  work: async (client, wait) => {
    const answer = await client.goAsync(input, { ...wait, detach: options.detach });
    if (isRunReference(answer)) return detachedReport(answer);
    return {
      kind: 'GoAsync',
      data: answer,
      text: async (paint) => (await import('./render-ackers.ts')).renderAckersLeft(answer, paint),
    };
  },
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
