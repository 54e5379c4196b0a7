import { guardsOf } from './guard.ts';

/** What keeps a watcher from acting on what it only believes, or may not decide. */
export const WATCHING = [
  ...guardsOf('adapters/pulse.ts', 'test/adapters/pulse.test.ts', [
    [
      'one look that hangs',
      'a lock on a server does not cost it one connection after the other',
      'this.#abandoned ??= { id: connection.threadId, statement };',
      '',
      'does not look again while a look before still hangs on the server: connections would run out',
    ],
    [
      'the last connection is left',
      'an operation gets into a full server, however many watch it',
      'refuseReserve(this.host, answer);',
      '',
      'does not stay in the place that a full server keeps for an administrator',
    ],
  ]),
  ...guardsOf('activities/shard.ts', 'test/activities/watching.test.ts', [
    [
      'lost attempt starts nothing',
      'a watcher whose attempt Temporal has given to another worker starts no failover beside it',
      'return this.#left === null && !this.#isEnded;',
      'return !this.#isEnded;',
      'starts and tells nothing any more: another worker may watch by now; the next attempt here does both',
    ],
    [
      'stopped watch starts nothing',
      'of two watches of a cluster, one of which does not end, only the later one acts',
      'this.#isHeld && !stopped.aborted',
      'this.#isHeld',
      'asks nobody to give way any more',
    ],
    [
      'later attempt has the shard',
      'of two attempts in one process only the one that counts watches',
      'attempt.scheduledAtMs < this.#attempt.scheduledAtMs',
      'attempt.scheduledAtMs < 0',
      'one that was scheduled earlier and comes late ends at once',
    ],
  ]),
  ...guardsOf('activities/watching.ts', 'test/activities/watching.test.ts', [
    [
      'a new run keeps what was seen',
      'the watch that goes on in a new run opens no primary that somebody closed',
      ' said?.cancelRequested,',
      '',
      'does not make the next one open a primary that somebody closed',
    ],
  ]),
  ...guardsOf('activities/sights.ts', 'test/activities/elsewhere.test.ts', [
    [
      'other sites are heard first',
      'a watcher that is cut off together with the replicas starts no failover of a primary that another site reaches',
      'return haveSites && (haveHosts',
      'return (haveHosts',
      'starts no failover while the worker of another site reaches the primary, and starts it when that one does not',
    ],
  ]),
  ...guardsOf('activities/asked-votes.ts', 'test/activities/elsewhere.test.ts', [
    [
      "a site's votes expire",
      'what a site said before its worker was lost neither keeps a failover from a dead primary nor counts for its death',
      'vote === null || nowMs - vote.atMs > lastsMs',
      'vote === null || nowMs - vote.atMs > Number.MAX_VALUE * lastsMs',
      'believes a vote for two seconds',
    ],
  ]),
  ...guardsOf('domain/hearing.ts', 'test/domain/hearing.test.ts', [
    [
      "a watcher's votes expire",
      'what a replica showed before the watcher was frozen is no vote',
      'if (nowMs - sampledAtMs > silenceMs) return null;',
      '',
      'expires: what was seen too long ago is no vote for death, nor for life',
    ],
    [
      'no heartbeat was due, for a watcher',
      'a replica that was built by hand, whose source need not have said anything yet, does not vote for its death',
      'return saysSomething(hearing, silenceMs) ? false : null;',
      'return false;',
      'is none when nothing came, and no heartbeat was due',
    ],
  ]),
  ...guardsOf('activities/listening.ts', 'test/activities/hearing.test.ts', [
    [
      'no heartbeat was due, for a failover',
      'a primary that nobody writes to is not fenced since replicas that were built by hand heard nothing of it for a moment',
      'if (heard.hearsSource !== false || saysSomething(now, listenMs)) return heard;',
      'if (listenMs > 0) return heard;',
      'is refused when the worker alone is cut off from a primary that nobody writes to',
    ],
  ]),
  ...guardsOf('activities/cluster-watch.ts', 'test/activities/cluster-watch.test.ts', [
    [
      'an opening gives way',
      'the opening of a primary that died again keeps no failover from starting',
      "if (reaction.kind === 'failOver') this.#giveWay(diagnosis);",
      '',
      'is told once when it is the opening of a primary that died again, and the failover begins when that has ended',
    ],
    [
      'an operation gives way',
      'whatever holds the cluster when its primary dies keeps no failover from starting',
      "if (kind === 'failOver' && started.kind === 'busy')",
      "if (kind === 'failOver' && started.kind === 'unreachable')",
      'is told to give way when it is another operation',
    ],
  ]),
  ...guardsOf('domain/watch.ts', 'test/domain/watch.test.ts', [
    [
      'automatic only by policy',
      'without policy.failover.automatic a person starts the failover',
      'if (!automatic)',
      'if (graceMs < 0)',
      'is left to a person when the policy is not automatic',
    ],
    [
      'cooldown',
      'a flapping cluster is failed over once, then a person looks',
      'nowMs < failedOverAtMs + cooldownMs',
      'cooldownMs < 0',
      'is left to a person until the cooldown is over',
    ],
    [
      'packets are lost',
      'observers that are all silent for a moment, over a network that loses packets, are no death yet',
      'deadSinceMs - silentSinceMs <= silenceMs',
      'deadSinceMs >= silentSinceMs',
      'is given seven silences when this watcher had lost it before, while others heard it',
    ],
    [
      'closed on purpose',
      'a primary that somebody closed while it ran is not opened again',
      'if (sawOpen)',
      'if (sawOpen && nowMs < 0)',
      'stays closed when it was seen open since it started: somebody closed it',
    ],
  ]),
];
