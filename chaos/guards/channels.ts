import { guardsOf } from './guard.ts';

const RUNS = 'test/activities/channels.test.ts';

/** Replication channels of a server beside the one of its cluster. */
export const CHANNELS = [
  ...guardsOf('adapters/mariadb-channels.ts', 'test/adapters/mariadb-channels.test.ts', [
    [
      'every other channel is seen',
      'a channel that somebody made by another name is not overlooked',
      'row !== own && !isOfTail(row)',
      'row !== own && false',
      'a named channel is another one, by whatever source, running or stopped',
    ],
    [
      'the channel of a tail is known by its source too',
      'a channel to a living server is not taken for ours by its name',
      " && text(row, 'Master_Host') === NOBODY",
      '',
      'the channel of a tail is ours, and one that only has its name is not',
    ],
  ]),
  ...guardsOf('adapters/host/parts/61-relay-channel.sh', 'test/host/channels.test.ts', [
    [
      'relay logs of our channel alone',
      'what another channel received does not stand for relay logs that were thrown away',
      'logs_of_index "$RELAY_INDEX"',
      'logs_of_index <(cat "${INDEXES[@]}")',
      'what another channel received does not make the relay logs of its own whole',
    ],
  ]),
  ...guardsOf('domain/election.ts', 'test/domain/election.test.ts', [
    [
      'no promotion beside another channel',
      'a server that takes writes from elsewhere does not become primary',
      '[others !== null, `it has a replication channel',
      '[false, `it has a replication channel',
      'from a server that is not in the inventory (receiver stopped',
    ],
  ]),
  ...guardsOf('activities/ladder.ts', RUNS, [
    [
      'revocation takes every channel',
      'an acker that goes on acknowledging through another channel is not counted as taken away',
      'vouching(stopped.keys(), stopped)',
      '[...vouching(stopped.keys(), new Map())]',
      'takes them from nobody either when that channel is made after the look',
    ],
  ]),
  ...guardsOf('activities/draining.ts', RUNS, [
    [
      'coverage by one channel',
      'what a replica acknowledged through another channel is not known from its own',
      'contributors: vouching(\n      election.because.map((vote) => vote.host),\n      stopped,',
      'contributors: vouching(\n      election.because.map((vote) => vote.host),\n      new Map(),',
      'covers nothing by it either when that channel is made after the look',
    ],
  ]),
  ...guardsOf('activities/foreseeing.ts', RUNS, [
    [
      'other channels are foreseen',
      'what will be refused for another channel is refused before anything is changed',
      'election.because.map((vote) => vote.host),\n    answeredStatuses(seen),',
      'election.because.map((vote) => vote.host),\n    new Map(),',
      'does not rest on its word: what it received',
    ],
  ]),
  ...guardsOf('activities/refusing.ts', RUNS, [
    [
      'no way back beside another channel',
      'a replica that was taken away as an acker is not let in while another channel may acknowledge',
      'if (others !== null) return',
      'if (others === "") return',
      'is not let in again after it was taken away as an acker',
    ],
  ]),
  ...guardsOf('activities/rejoining.ts', RUNS, [
    [
      'fitness of a host that comes back',
      'a host that could not count does not come back, also when it follows the primary already',
      'if (standing.status !== null) checkFitness(authority.cluster, host, standing.status);',
      '',
      'does not come back, also when it follows the primary',
    ],
  ]),
  ...guardsOf('domain/takeover.ts', 'test/domain/protection.test.ts', [
    [
      'an acker beside another channel protects nobody',
      'a cluster is not called protected by an acker that a failover would not count on',
      'const asked = vouching(acknowledging, statuses);',
      'const asked = acknowledging;',
      'an acker that a failover would not count on',
    ],
  ]),
  ...guardsOf('domain/preflight.ts', 'test/domain/preflight.test.ts', [
    [
      'no other channel comes into care',
      'a server with another channel is not adopted, copied from, admitted or taken back',
      '...judgeChannels(status),',
      '',
      'must have no replication channel but the one of its cluster, stopped or not',
    ],
  ]),
];
