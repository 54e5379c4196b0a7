import { StandfastError } from '../../client/index.ts';

/** The failure that a call has to end with; a result instead of it is shown. */
export async function refusalOf(call: Promise<unknown>): Promise<StandfastError> {
  const ended: unknown = await call.catch((reason: unknown) => reason);
  if (ended instanceof StandfastError) return ended;
  throw new Error(`expected a refusal, got ${ended instanceof Error ? ended.message : JSON.stringify(ended)}`, {
    cause: ended,
  });
}
