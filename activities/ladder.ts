import { AdapterFailure } from '../adapters/ports.ts';
import type { FenceRung } from '../domain/cluster.ts';
import { vouching } from '../domain/channels.ts';
import { judgeRevocation } from '../domain/coverage.ts';
import type { ClusterObservation } from '../domain/observation.ts';
import { isAnswering, isThere, observationOf } from '../domain/observation.ts';
import type { FenceProof } from '../domain/report.ts';
import type { Authority } from './authority.ts';
import { knows } from './confirming.ts';
import { syncOf } from './electing.ts';
import { refuseUnaccepted } from './foreseeing.ts';
import { isStale } from './overtaken.ts';
import type { Kept } from './receivers.ts';
import { stopReceivers } from './receivers.ts';
import type { Case } from './unfinished.ts';
import type { Agreement } from './votes.ts';
import { requireFresh } from './votes.ts';

const POWER_OFF_MS = 60_000;

interface Climbing {
  readonly found: Case;
  /** Under the claim. */
  readonly seen: ClusterObservation;
  /** Of the followers, under way at the same time. */
  readonly keeping: Promise<readonly Kept[]>;
}

/**
 * Climbs the rungs of the policy until one gives a proof that the old primary can no longer acknowledge a write; last, a person's word.
 * @throws Refusal when none does
 */
export async function fencePrimary(authority: Authority, { found, seen, keeping }: Climbing): Promise<FenceProof> {
  const { helper } = observationOf(seen, found.primary);
  const tried: string[] = isAnswering(helper) || isThere(helper) ? [] : [`ssh: ${helper.why}`];
  for (const rung of found.cluster.description.fence) {
    if (rung === 'ssh' && !isThere(helper)) continue;
    try {
      return await RUNGS[rung](authority, found, keeping);
    } catch (error) {
      if (!(error instanceof AdapterFailure) || isStale(error)) throw error;
      tried.push(`${rung}: ${error.message}`);
    }
  }
  const unproven = `it is not proven that ${found.primary} can no longer acknowledge a write (${tried.join('; ')})`;
  refuseUnaccepted({ fence: unproven, loss: null }, found);
  return wordOf(found);
}

/** A person has seen to it that the old primary is out of action. */
const wordOf = ({ accepted, primary }: Case): FenceProof => ({
  rung: 'accepted',
  host: primary,
  proof: `${accepted?.by ?? ''} answers for it: ${accepted?.reason ?? ''}`,
});

type Climb = (authority: Authority, found: Case, keeping: Promise<readonly Kept[]>) => Promise<FenceProof>;

const RUNGS: Readonly<Record<FenceRung, Climb>> = {
  ssh: shutOff,
  powerOff: (_, found) => powerOff(found),
  revocation: revoke,
};

/** Stops the server of a host whose helper answers, and keeps it down. */
export async function shutOff(authority: Authority, { primary }: Pick<Case, 'primary'>): Promise<FenceProof> {
  const { address, prefix, interface: device } = authority.cluster.vip;
  const saysEnd = knows(authority.records.get(primary), 4) ? { logs: 'binlog' } : {};
  const place = { vip: address, prefix: String(prefix), interface: device };
  const { log_end: logEnd = '', ...proven } = await authority.order(primary, 'fence', { ...place, ...saysEnd });
  const proof = Object.entries(proven).map(([name, value]) => `${name}=${value}`);
  return { rung: 'ssh', host: primary, proof: proof.join(' '), ...(logEnd === '' ? {} : { logEnd }) };
}

async function powerOff({ cluster, primary, steps }: Case): Promise<FenceProof> {
  const said = await cluster.powerOff(primary, { timeoutMs: POWER_OFF_MS, signal: steps.signal });
  return { rung: 'powerOff', host: primary, proof: `the power hook confirms: ${said}` };
}

/**
 * Without a majority that answers, a claim rests on the old primary being off: by the hook, or by a person's word.
 * @param agreed when it was seen to be dead; null: an earlier run has fenced it
 * @throws Refusal when neither is at hand
 */
export async function proveOff(found: Case, agreed: Agreement | null): Promise<FenceProof> {
  const { cluster, primary, steps } = found;
  const byWord = (why: string): FenceProof => {
    refuseUnaccepted({ fence: `too few members answer, and ${why}`, loss: null }, found);
    return wordOf(found);
  };
  if (!cluster.description.fence.includes('powerOff')) return byWord(`the policy has no power switch for ${primary}`);
  return steps.run('fence', primary, async () => {
    if (agreed !== null) requireFresh(agreed);
    return powerOff(found).catch((error: unknown) => {
      if (!(error instanceof AdapterFailure)) throw error;
      return byWord(error.message);
    });
  });
}

/** Under the claim nobody but this run can start the receivers again, so the old primary waits for acknowledgements until it is restarted, closed. */
async function revoke(
  authority: Authority,
  { cluster, primary, steps }: Case,
  keeping: Promise<readonly Kept[]>,
): Promise<FenceProof> {
  const stopped = await stopReceivers(authority, await keeping, steps.signal);
  const revocation = judgeRevocation(
    syncOf(cluster, [...authority.records.values()]),
    vouching(stopped.keys(), stopped),
  );
  if (!revocation.enough) throw new AdapterFailure({ type: 'Unsafe', host: primary, message: revocation.why });
  return {
    rung: 'revocation',
    host: primary,
    proof: `${primary} waits for acknowledgements that nobody gives any more: ${revocation.why}`,
  };
}
