import { guardsOf } from './guard.ts';

const RECONNECTING = `result = await work({ ...session, host, close: () => undefined, rows: async (...args) => {
        try { return await session.rows(...args); } catch { return (await this.cluster.session(host)).rows(...args); } } });`;

/** Who may change a cluster: claims, and sessions under them. */
export const AUTHORITY = [
  ...guardsOf('activities/claiming.ts', 'test/activities/authority.test.ts', [
    [
      'attempt still counts',
      'an attempt that was given to another worker claims nothing',
      'await input.claimant.requireOurs();',
      '',
      'that was given to another attempt meanwhile claims nothing',
    ],
    [
      'claimant',
      'an attempt that was frozen before its claim does not pass for the one that claimed the same number',
      '`${input.run}/${input.claimant.name}`',
      '`${input.run}/`',
      'that was frozen when it had asked whether it still counts',
    ],
    [
      'majority',
      'an operation that only a minority obeys changes nothing',
      'if (members.length + provenOff.length < majorityOf(all.length))',
      'if (members.length < 0)',
      'that two of four obey is no majority',
    ],
    [
      'candidate in majority',
      'a host is opened only under an epoch that it accepted itself',
      'const missing = input.include.filter((host) => !members.includes(host));',
      'const missing: string[] = [];',
      'that a majority obeys does not open a host that did not claim with it',
    ],
    [
      'hung member does not count',
      'sessions of a server that hangs could not be ended by the claim',
      "answer['mysqld'] !== 'hung' || member === mayHang",
      'answer !== null',
      'does not count a member whose server hangs',
    ],
  ]),
  ...guardsOf('activities/equipping.ts', 'test/activities/equipping.test.ts', [
    [
      'boot closed of a server that stands still',
      'whoever starts it, or a reboot, does not bring it up open',
      '?? (await settingsOfNextStart(cluster, host))',
      '',
      'boots closed also where its server stands still',
    ],
    [
      'settings are not guessed over',
      'the log and the identity that a drop-in names stay when its server cannot be asked',
      "if ((await helper.request('installed'))['dropin'] !== 'no') return null;",
      '',
      'keeps the settings that it has, of which a server that stands still says nothing',
    ],
  ]),
  ...guardsOf('activities/authority.ts', 'test/activities/authority.test.ts', [
    [
      'epoch of a session',
      'a session is checked against the epoch after it was opened',
      "await this.cluster.helper(host).request('assert',",
      "await (async (..._: unknown[]) => undefined)('assert',",
      'that another one overtook says no word on a session that it opens afterwards',
    ],
    [
      'no reconnect within a step',
      'a session that a newer claim ended is not replaced',
      'result = await work(session);',
      RECONNECTING,
      'that another one overtook in the middle of a step loses its session',
    ],
    [
      'majority of a record',
      'a record that reached a minority is not acted on',
      'if (written >= majorityOf(all)) return;',
      'if (written >= 0) return;',
      'does not act on a record that reached a minority',
    ],
    [
      'late member joins',
      'a member that was silent at the claim takes the epoch first',
      "await this.cluster.helper(host).request('claim', claimArguments(this.cluster, this.epoch), { timeoutMs: ORDER_MS });",
      '',
      'makes a member that was silent at the claim take its epoch before an order',
    ],
  ]),
  ...guardsOf('activities/held-sessions.ts', 'test/activities/authority.test.ts', [
    [
      'held session still answers',
      'a session that was lost between two steps is not acted on',
      "session.rows('SELECT 1', [], { timeoutMs: ASK_MS })",
      'Promise.resolve()',
      'is replaced, under the epoch, when it is gone',
    ],
    [
      'held session asks for the epoch',
      'a claim cannot end the sessions of a server that hangs',
      'isFresh ? null : this.#prove(session, prove)',
      'isFresh ? null : Promise.resolve()',
      'does not act on a session that it held while another one claimed on a server that hung',
    ],
  ]),
  ...guardsOf('activities/patience.ts', 'test/activities/patience.test.ts', [
    [
      'full is a sign of life',
      'a primary whose connections are all taken is not taken for a hung one',
      'ask(serverMs - MARGIN_MS)',
      'ask()',
      'ends with "full", a sign of life, when its connections are all taken',
    ],
  ]),
  ...guardsOf('activities/continuing.ts', 'test/activities/authority.test.ts', [
    [
      'epoch per attempt',
      'a worker that comes back late is refused by what the next attempt claimed',
      'steps.attempt === 1',
      'steps.attempt > 0',
      'has no effect after a second attempt of the same run took over',
    ],
  ]),
  ...guardsOf('activities/fencing.ts', 'test/activities/proving-off.test.ts', [
    [
      're-diagnosis before a power-off',
      'a primary that was cut off for a moment keeps its power',
      'requireDead(sight.diagnosis, found);',
      '',
      'keeps its power when it answers again at the second look',
    ],
  ]),
  ...guardsOf('activities/ladder.ts', 'test/activities/fencing.test.ts', [
    [
      'stale votes before a power-off',
      'a claim that took long does not end in a power-off on old votes',
      'if (agreed !== null) requireFresh(agreed);',
      '',
      'is not made by the power switch on votes that grew old',
    ],
  ]),
  ...guardsOf('activities/unfinished.ts', 'test/activities/proving-off.test.ts', [
    [
      'counted as off beside one that served nobody',
      'records of a host that followed the new primary are not outvoted by counting it as off',
      'if (!mayCountOff) return [];',
      '',
      'counts nobody as off when the new primary has served since',
    ],
  ]),
];
