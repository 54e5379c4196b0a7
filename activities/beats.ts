import { Context } from '@temporalio/activity';

const BEAT_EVERY_MS = 200;
const latest = new WeakMap<Context, unknown>();

const carried = new WeakMap<Context, object>();

/** Tells Temporal how far the running activity is; a later attempt finds it as its heartbeat details. */
export function beat(details: object): void {
  const context = Context.current();
  const all = { ...details, ...carried.get(context) };
  latest.set(context, all);
  context.heartbeat(all);
}

/** Is part of every beat from here on, whatever else they tell. */
export function carry(details: object): void {
  carried.set(Context.current(), details);
}

/** Beats for the whole of `work` with what was told last, be it by an earlier attempt, so that only a dead worker falls silent. */
export async function keepBeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beating = setInterval(() => {
    context.heartbeat(latest.get(context) ?? context.info.heartbeatDetails);
  }, BEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}
