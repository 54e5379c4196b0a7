import type { Transition } from './watch.ts';

const SHOWN_EVENTS = 20;

/** What the page of a watching run shows: the last word about every host that was spoken of, and the last events. */
export class WatchBoard {
  readonly #shard: string;
  readonly #latest = new Map<string, Transition>();
  readonly #events: Transition[] = [];

  constructor(shard: string) {
    this.#shard = shard;
  }

  note(transition: Transition): void {
    this.#latest.set(`${transition.cluster}/${transition.host}`, transition);
    this.#events.push(transition);
    if (this.#events.length > SHOWN_EVENTS) this.#events.shift();
  }

  /** Markdown. */
  render(): string {
    const places = [...this.#latest.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      `### Watching the clusters of shard ${this.#shard}`,
      '',
      ...places.map(([place, { code, explains, reaction }]) => `- **${place}** ${code}: ${explains}${tail(reaction)}`),
      '',
      ...(this.#events.length === 0 ? [] : ['Last events:', '']),
      ...this.#events.map(
        ({ at, cluster, host, code, reaction }) => `- ${at} ${cluster}/${host} ${code}${tail(reaction)}`,
      ),
    ].join('\n');
  }
}

const tail = (reaction: string): string => (reaction === '' ? '' : ` (${reaction})`);
