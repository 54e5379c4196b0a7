import type { Verdict } from '../domain/verdict.ts';
import type { StandfastError } from './errors.ts';

/** The verdict that an `Unhealthy` failure carries. */
export function unhealthyVerdict(error: StandfastError): Verdict | null {
  if (error.type !== 'Unhealthy' || !Array.isArray(error.facts['findings'])) return null;
  return error.facts as unknown as Verdict;
}
