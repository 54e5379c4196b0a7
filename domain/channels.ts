import type { HostName } from './cluster.ts';
import type { OtherChannel, ServerStatus } from './observation.ts';
import type { Obstacle } from './preflight.ts';

const otherChannels = ({ otherChannels: channels = [] }: ServerStatus): readonly OtherChannel[] => channels;

const describe = ({ name, source, receiver, applier }: OtherChannel): string =>
  `"${name.slice(0, 64)}" from ${source ?? 'a server that is not in the inventory'} (receiver ${receiver}, applier ${applier})`;

/** Which channels a server has beside its own, in words; null: none. */
export const namesOfOthers = (status: ServerStatus): string | null =>
  otherChannels(status).length === 0 ? null : otherChannels(status).map(describe).join(', ');

/** What such a channel has received and not applied goes with it. */
export const HOW_TO_END =
  "once all that it received is applied or not needed: STOP SLAVE 'NAME'; RESET SLAVE 'NAME' ALL";

export function judgeChannels(status: ServerStatus): readonly Obstacle[] {
  const names = namesOfOthers(status);
  if (names === null) return [];
  return [
    {
      code: 'channel',
      explains: `it has a replication channel that is not the cluster's: ${names}; through it the server may acknowledge writes, or take them from elsewhere, when the cluster's own channel is stopped`,
      remedy: HOW_TO_END,
    },
  ];
}

/**
 * Of those hosts, the ones whose own channel is all that they receive by: what another channel received is not known from it, and stopping it stops no
 * acknowledgement of the other.
 */
export const vouching = (
  hosts: Iterable<HostName>,
  statuses: ReadonlyMap<HostName, ServerStatus>,
): readonly HostName[] =>
  [...hosts].filter((host) => {
    const status = statuses.get(host);
    return status === undefined || namesOfOthers(status) === null;
  });
