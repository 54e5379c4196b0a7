import { guardsOf } from './guard.ts';

/** What is decided purely: who is dead, who may be promoted, what is promised. */
export const DECISIONS = [
  ...guardsOf('domain/diagnosis.ts', 'test/domain/diagnosis.test.ts', [
    [
      "observers' majority",
      'a worker that is cut off alone declares nobody dead',
      '(1 + [...hearing, ...elsewhere].filter((reaches) => reaches === false).length) * 2 > expectedObservers;',
      'hearing.length >= 0 && expectedObservers >= 0;',
      'is not reached by a worker that is cut off alone',
    ],
    [
      'kept out is not dead, under a claim',
      'a failover that is started while room is being made leaves the primary alone',
      "isKeptOut(server.reach, facts) ? 'full' : server.reach",
      'server.reach',
      'takes a primary for full whose host lets only members connect for a moment, while its server runs',
    ],
    [
      'kept out must run',
      'a primary that dies while room is being made is dead',
      "facts?.mysqld === 'running' && facts.refusesClients === true",
      'facts?.refusesClients === true',
      'takes a primary for full whose host lets only members connect for a moment, while its server runs',
    ],
  ]),
  ...guardsOf('domain/diagnosis.ts', 'test/activities/fencing.test.ts', [
    [
      '1040 is alive',
      'a server without a free connection is not fenced',
      "matches: ({ server }) => server === 'full',",
      'matches: () => false,',
      'is left alone when it has no connection left for us',
    ],
    [
      'a refused login is alive',
      'a server that refuses our login is not fenced',
      "matches: ({ server }) => server === 'denied',",
      'matches: () => false,',
      'is left alone when it refuses our login',
    ],
    [
      'heard by a replica',
      'a primary that a replica still hears is cut off from us, not dead',
      'matches: ({ hearing }) => hearing.includes(true),',
      'matches: () => false,',
      'is not taken for dead by a worker that is cut off from it, while a replica hears it',
    ],
  ]),
  ...guardsOf('domain/diagnosis.ts', 'test/activities/elsewhere.test.ts', [
    [
      'reached from another site',
      'a primary that another site reaches is cut off from us and from the replicas, not dead',
      'matches: ({ elsewhere }) => elsewhere.includes(true),',
      'matches: () => false,',
      'is refused by the word of another site, with nothing changed',
    ],
  ]),
  ...guardsOf('domain/events.ts', 'test/domain/events.test.ts', [
    [
      'a disabled event stays disabled',
      'a promotion does not switch on what a person had disabled; on a replica both look the same',
      "const enabled = off.filter((event) => was(event) === 'enabled');",
      'const enabled = off;',
      'are switched on when they were enabled before, and stay off when a person had disabled them',
    ],
    [
      'an event that runs once runs once',
      'an event of one instant is not carried out a second time by the new primary',
      'enabled.filter(({ isOver }) => !isOver)',
      'enabled',
      'are left to a person when they would be carried out a second time',
    ],
    [
      'a look before the end of a promotion forgets no event',
      'the watcher does not note that nothing is enabled while replication keeps the events off',
      "isSwitchedOff(event) ? was(event) : 'disabled'",
      "'disabled'",
      'keeps what replication alone has switched off',
    ],
    [
      'an event that was never noted is told',
      'an event that was made after the last look is not taken for one that a person had disabled',
      "disabled.has(keyOf(event)) ? 'disabled' : 'unclear'",
      "'disabled'",
      'are left to a person when nobody had seen them on the primary',
    ],
  ]),
  ...guardsOf('domain/protection.ts', 'test/domain/protection.test.ts', [
    [
      'never protected when it could not see',
      'who is told that the primary may die acts on it',
      "if (reasons.some(({ state }) => state === 'not-known')) return 'not-known';",
      '',
      'it is not known whether it is protected',
    ],
  ]),
  ...guardsOf('domain/protection-reasons.ts', 'test/domain/protection.test.ts', [
    [
      'a host that was not seen is told',
      'it may be a second writer, or a second holder of the VIP',
      'return explains === null ? [] : [{ host: entry.host, explains, remedy }];',
      'return explains === null || remedy !== null ? [] : [{ host: entry.host, explains, remedy }];',
      'it is not known whether it is protected',
    ],
    [
      'without loss rests on what was received',
      'a replica that lacks a transaction of the primary would lose it',
      "if (takeovers.some(({ isReady, loss }) => isReady && loss !== 'unknown')) return [];",
      'if (takeovers.some(({ isReady }) => isReady)) return [];',
      'is not protected, and that is said first',
    ],
  ]),
  ...guardsOf('domain/coverage.ts', 'test/domain/coverage.test.ts', [
    [
      'n - k + 1 coverage',
      'an acknowledged write may be with any k of the n ackers',
      'sync.ackers.length - sync.k + 1',
      'Math.min(1, sync.ackers.length)',
      'claims lossless exactly when no choice of k ackers could hide a write',
    ],
  ]),
  ...guardsOf('domain/election.ts', 'test/domain/election.test.ts', [
    [
      'partial order refusal',
      'a winner holds everything that any reachable replica received',
      "input.contenders.filter((contender) => lacksOf(contender, input) === '')",
      'input.contenders',
      'refuses when two replicas each hold a transaction that the other lacks',
    ],
    [
      'errant barred',
      'a replica with writes of its own does not become the history of the cluster',
      "[errant !== '', ",
      '[false, ',
      'bar a replica that wrote what another one lacks',
    ],
    [
      'filters barred',
      'a replica that filters lacks rows',
      '[(replication?.filters.length ?? 0) > 0, ',
      '[false, ',
      'it filters replication',
    ],
    [
      'placement barred',
      'data stays in the countries of the policy',
      '!input.countries.includes(host.country)',
      'false',
      'its country is outside the placement policy',
    ],
    [
      'full disk barred',
      'a primary has to be able to commit',
      '[contender.diskFreeBytes < LEAST_FREE_BYTES, ',
      '[false, ',
      'its disk is full',
    ],
    [
      'delayed barred',
      'a delayed replica is behind on purpose',
      '[(replication?.delaySeconds ?? 0) > 0, ',
      '[false, ',
      'it is a delayed replica',
    ],
    [
      'restarted replica barred',
      'what a restarted replica had received is not known',
      "replication !== null && replication.usesGtid && replication.received === '',",
      'false,',
      'its receiver has not run since its server started',
    ],
  ]),
  ...guardsOf('domain/election.ts', 'test/domain/election-lineage.test.ts', [
    [
      'MariaDB lineage',
      'greater numbers of a later term do not hide what an earlier promotion cut off',
      'receivedBy(contender.status), lineage)',
      'receivedBy(contender.status), [])',
      'compares a bare position with a whole state: the lineage says what came before',
    ],
    [
      'errant under the lineage',
      'what a promotion cut off is errant, whoever wrote it',
      'placeGtids(receivedBy(status), lineage)',
      'placeGtids(receivedBy(status), [])',
      'bars a replica that holds what a promotion cut off, whoever wrote it',
    ],
  ]),
  ...guardsOf('domain/election.ts', 'test/domain/own-transactions.test.ts', [
    [
      'lost own transactions are no history',
      'a position does not show what a server wrote itself and lost',
      "[lost !== '', ",
      '[false, ',
      'is not elected, though it is the only one: the last promotion recorded what it lacks',
    ],
  ]),
  ...guardsOf('activities/own-history.ts', 'test/activities/own-history.test.ts', [
    [
      'no replication over what was lost',
      'replication passes over what a server wrote itself, and its position hides that it is missing',
      "if (lost === '') return;",
      'if (lost !== null) return;',
      'its word counts for nothing',
    ],
  ]),
  ...guardsOf('domain/verdict-replica.ts', 'test/domain/own-transactions.test.ts', [
    [
      'lost own transactions are seen',
      'a replica that has lost transactions for good is not called in step',
      "evidence.lost !== undefined && evidence.lost !== ''",
      "evidence.lost === 'never'",
      'is found by a verification, where every position says that it is in step',
    ],
  ]),
  ...guardsOf('domain/coverage.ts', 'test/domain/coverage.test.ts', [
    [
      'lineage of the old binlog',
      'a winner with what was cut off does not cover the history',
      'input.lineage ?? []',
      '[]',
      'takes what came before a position as held, by the winner and by the old primary',
    ],
  ]),
  ...guardsOf('domain/records.ts', 'test/domain/records.test.ts', [
    [
      'majority of records',
      'a record is known only from a majority of the members',
      'records.filter(counts).length >= witnessesOf(members)',
      'members > 0',
      'is unknown while those who are silent may be a majority that knows better',
    ],
  ]),
  ...guardsOf('domain/table-sums.ts', 'test/domain/table-sums.test.ts', [
    [
      'a doubt is looked at again',
      'a definition that changes during the comparison condemns no copy',
      'const LOOKS = 5;',
      'const LOOKS = 1;',
      'looks again from a later snapshot, and condemns no copy for %s',
    ],
  ]),
];
