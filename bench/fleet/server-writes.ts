/**
 * What counts as a write: a request of the server to its own store that changes it, by the server's metric `persistence_requests`. One call of a worker may make
 * several, and one that only reads makes none, so this is nearer to what the store has to bear than a count of calls. Operations that are not named here
 * read, or lease and watch: Get…, List…, Read…, Watch…, AssertShardOwnership.
 */
const WRITES =
  /^(Add|Append|Complete|ConflictResolve|Create|Delete|Enqueue|Fork|Put|Record|Register|Save|Set|Trim|Update|Upsert)/;

const SAMPLE = /^persistence_requests\{(.*)\} (\S+)$/;
const OPERATION = /(?:^|,)operation="([^"]*)"/;

/** @param metrics in Prometheus' text format @returns writes so far, by operation */
export function writesIn(metrics: string): ReadonlyMap<string, number> {
  const writes = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const [, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const [, operation = ''] = OPERATION.exec(labels) ?? [];
    if (WRITES.test(operation)) writes.set(operation, (writes.get(operation) ?? 0) + Number(value));
  }
  return writes;
}

export const total = (writes: ReadonlyMap<string, number>): number =>
  [...writes.values()].reduce((sum, one) => sum + one, 0);
