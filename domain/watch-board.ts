import type { Transition } from './watch.ts';

const SHOWN_EVENTS = 20;
/** With more hosts than this, those that are as they should be are only counted. */
const SHOWN_WELL = 60;
const SHOWN_UNWELL = 300;

/** What is told of hosts that are as they should be. */
export const WELL: readonly string[] = ['PrimaryServes', 'Replicates', 'FailoverPossible'];

/** What the page of a watching run shows: the last word about every host that was spoken of, and the last events. */
export class WatchBoard {
  readonly #shard: string;
  readonly #latest = new Map<string, Transition>();
  readonly #events: Transition[] = [];

  constructor(shard: string) {
    this.#shard = shard;
  }

  note(transition: Transition): void {
    const { cluster, host } = transition;
    // Whoever tells of a host knows its primary again.
    if (host !== '' && this.#latest.get(cluster)?.code === 'PrimaryUnknown') this.#latest.delete(cluster);
    this.#latest.set(placeOf(transition), transition);
    this.#events.push(transition);
    if (this.#events.length > SHOWN_EVENTS) this.#events.shift();
  }

  /** Markdown. */
  render(): string {
    const all = [...this.#latest.entries()];
    const isShort = all.length <= SHOWN_WELL;
    const listed = isShort ? all : all.filter(([, { code }]) => !WELL.includes(code));
    const shown = listed.sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, SHOWN_UNWELL);
    return [
      `### Watching the clusters of shard ${this.#shard}`,
      '',
      ...(isShort
        ? []
        : [`${String(all.length - listed.length)} of ${String(all.length)} hosts are as they should be.`, '']),
      ...shown.map(([place, { code, explains, reaction }]) => `- **${place}** ${code}: ${explains}${tail(reaction)}`),
      ...(shown.length < listed.length ? [`- and ${String(listed.length - shown.length)} more`] : []),
      '',
      ...(this.#events.length === 0 ? [] : ['Last events:', '']),
      ...this.#events.map((event) => `- ${event.at} ${placeOf(event)} ${event.code}${tail(event.reaction)}`),
    ].join('\n');
  }
}

/** What is told of no host is told of the cluster. */
const placeOf = ({ cluster, host }: Transition): string => (host === '' ? cluster : `${cluster}/${host}`);

const tail = (reaction: string): string => (reaction === '' ? '' : ` (${reaction})`);
