import { guardsOf } from './guard.ts';

/** What the drivers may not get wrong. */
export const ADAPTERS = [
  ...guardsOf('adapters/sql.ts', 'test/adapters/sql.test.ts', [
    [
      'timed-out session killed',
      'a statement that timed out may still run',
      'await this.#killAndSeeGone();',
      '',
      'is killed from a side session and seen gone before the failure is reported',
    ],
    [
      'timed-out session seen gone',
      'a killed session needs a moment to roll back',
      'if (Array.isArray(rows) && rows.length === 0) return;',
      'if (Array.isArray(rows)) return;',
      'is killed from a side session and seen gone before the failure is reported',
    ],
    [
      '1040 is alive, in the driver',
      '"too many connections" is the answer of a living server',
      "ER_CON_COUNT_ERROR: 'full',",
      "ER_CON_COUNT_ERROR: 'refused',",
      'full when it has too many connections',
    ],
  ]),
  ...guardsOf('adapters/mariadb-heartbeat.ts', 'test/host/heartbeat.test.ts', [
    [
      'no heartbeat on a closed server',
      'a row that was under way when the server was closed would be an errant transaction',
      'SQL SECURITY DEFINER',
      'SQL SECURITY INVOKER',
      'no heartbeat is committed on a server that is closed, also one that was under way, by an account that may write there',
    ],
  ]),
  ...guardsOf('adapters/mariadb.ts', 'test/activities/comparing.test.ts', [
    [
      'a proof stops no acker',
      'a failover called lossless would lack what an acker had acknowledged and a proof has thrown away with its relay log',
      "IF @@GLOBAL.rpl_semi_sync_slave_enabled THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'it acknowledges writes, so it was not stopped'; END IF;",
      '',
      'a proof throws nothing away of a replica that was made to acknowledge',
    ],
  ]),
  ...guardsOf('adapters/mariadb-events.ts', 'test/oracle/events-mariadb.test.ts', [
    [
      'no note on a closed server',
      'a note that is written on a server that was closed would be an errant transaction',
      'SQL SECURITY DEFINER',
      'SQL SECURITY INVOKER',
      'nothing is noted, and no event run, on a server that is closed, by an account that may write there',
    ],
    [
      'an event keeps its character set',
      'an event that is switched on again does not read its own text in the character set of our session',
      'for (const statement of sessionOf(event)) await session.rows(statement);',
      '',
      'events run on whoever takes the place of their primary as they were',
    ],
  ]),
  ...guardsOf('adapters/mariadb-events.ts', 'test/activities/settling.test.ts', [
    [
      'an event keeps its definer',
      'an event that is switched on again does not run with the privileges of the operation account',
      '`ALTER DEFINER = ${account(definer)} EVENT ${',
      '`ALTER EVENT ${account(definer) && ',
      'run again, except for those that a person had disabled',
    ],
    [
      'no event on a closed server',
      'a primary that restarted closed is not written to, nor its scheduler started, by an account that may write there',
      "!== '0')",
      "=== 'unknown')",
      'are not run on a primary that was started anew since, and is closed',
    ],
    [
      'an event put in the place of another is not run as its definer',
      'whoever may make events in one database gets no privileges of whoever owns one there',
      'now.digest === event.digest',
      'now.digest !== undefined',
      'are switched off again when somebody has put another one in the place of one meanwhile',
    ],
    [
      'an event that is refused stops nothing',
      'a failover does not fail for the lack of a privilege, and the event is told',
      'if (!isRefusal(error)) throw error;',
      'throw error;',
      'are named with the statement for each when the account may not switch them on',
    ],
  ]),
  ...guardsOf('adapters/mariadb-events.ts', 'test/activities/event-watch.test.ts', [
    [
      'a note leaves the last place to the replicas',
      'a note that waits for an acknowledgement does not lock out whoever comes back to acknowledge it',
      'refuseReserve(session.host, await session.rows(IN_RESERVE));',
      '',
      'waits in no place that a full server keeps for its administrators',
    ],
  ]),
  ...guardsOf('activities/event-watch.ts', 'test/activities/event-watch.test.ts', [
    [
      'a note under way keeps no watch from beginning',
      'a note that is not answered would leave a cluster unwatched for as long as that lasts',
      'raceDeadline(note(cluster, primary), LONGEST_MS, signal)',
      'raceDeadline(note(cluster, primary), LONGEST_MS)',
      'ends at once when it is aborted while a note waits to be acknowledged',
    ],
  ]),
  ...guardsOf('activities/running-events.ts', 'test/activities/settling.test.ts', [
    [
      'events that do not run fail no failover',
      'clients are served already; what keeps the events from running is told',
      'if (!(error instanceof AdapterFailure) || isStale(error)) throw error;\n    return error;',
      'throw error;',
      'fail nothing when the server does not answer, and that is told',
    ],
    [
      'whoever was overtaken is told so, also about events',
      'a run that a newer operation has overtaken does nothing more',
      '|| isStale(error)',
      '',
      'are nobody else to run when another operation has claimed in the middle',
    ],
  ]),
  ...guardsOf('adapters/ssh-connection.ts', 'test/adapters/ssh.test.ts', [
    [
      'host key pinned',
      'an order goes to no host whose key is not the pinned one',
      "return verdict === 'match';",
      "return (verdict = 'match') !== null;",
      'another key is pinned',
    ],
  ]),
];
