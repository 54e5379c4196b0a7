import { Context } from '@temporalio/activity';

const BEAT_EVERY_MS = 200;
const latest = new WeakMap<Context, unknown>();

/** Tells Temporal how far the running activity is; a later attempt finds it as its heartbeat details. */
export function beat(details: unknown): void {
  const context = Context.current();
  latest.set(context, details);
  context.heartbeat(details);
}

/** Beats for the whole of `work` with what was told last, so that only a dead worker falls silent. */
export async function keepBeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beating = setInterval(() => {
    context.heartbeat(latest.get(context));
  }, BEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}
