import { AdapterFailure } from '../adapters/ports.ts';
import type { Risk } from '../domain/acceptance.ts';
import type { ClusterDescription, HostName } from '../domain/cluster.ts';
import { explainStranger, explainUnpromotable } from '../domain/cluster.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';

/** Whether it is dead cannot be told. Null: it can. */
export const refusalOf = ({ consequence, explains }: Diagnosis): Refusal | null =>
  consequence === 'refuse' ? new Refusal(explains, 'look at the network between the hosts') : null;

/** Refused by a safety rule; not tried again. */
export const unsafe = (host: HostName, message: string): AdapterFailure =>
  new AdapterFailure({ type: 'Unsafe', host, message });

/** @throws AdapterFailure `BadInput` */
export function requireHost(cluster: ClusterDescription, host: HostName): void {
  const message = explainStranger(cluster, host);
  if (message !== null) throw new AdapterFailure({ type: 'BadInput', host, message });
}

/** @throws AdapterFailure `BadInput` of one that a person asks for as the next primary */
export function requireCandidate(cluster: ClusterDescription, host: HostName): void {
  requireHost(cluster, host);
  const message = explainUnpromotable(cluster, host);
  if (message !== null) throw new AdapterFailure({ type: 'BadInput', host, message });
}

/** A refusal met on the way of a failover; the workflow decides what is undone, and whether a person is asked. */
export class Refusal extends Error {
  readonly remedy: string;
  /** What a person could accept instead; null when nobody's word helps. */
  readonly risk: Risk | null;
  /** Whom that would be about. */
  readonly primary: HostName | null;

  constructor(explains: string, remedy: string, open: { risk: Risk; primary: HostName } | null = null) {
    super(explains);
    this.remedy = remedy;
    this.risk = open?.risk ?? null;
    this.primary = open?.primary ?? null;
  }
}
