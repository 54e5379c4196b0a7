import { guardsOf } from './guard.ts';

/** What becomes of an old primary that may live on, and of a promotion that comes to nothing. */
export const DEPOSED = [
  ...guardsOf('workflows/promotion.ts', 'test/workflows/lost-winner.test.ts', [
    [
      'deposed before the promotion',
      'an old primary that was not reached is shut off, however the failover ends that deposed it',
      "if (mayLiveOn(elected) && patched('deposed-before-promotion')) await leaveDeposed(cluster, elected, page);",
      '',
      'is left to a run of its own before anybody is recorded in its place, however the failover ends',
    ],
    [
      'a recorded winner stays',
      'the old primary is not opened beside a winner that may have served',
      'abandoned.at(-1)?.fenced.decision.fence.host === recorded &&',
      '',
      'the winner is, which may have served',
    ],
    [
      "a person's word may have recorded a winner",
      'an old primary that counted as off by a wrong word is not opened beside the winner that this recorded',
      "!['accepted', 'earlier'].includes",
      "!['earlier'].includes",
      'a person had answered for the old primary, and is not right',
    ],
    [
      'an earlier run has recorded the winner',
      'the old primary is not opened beside a winner that was on record before this run',
      "!['accepted', 'earlier'].includes",
      "!['accepted'].includes",
      'an earlier run had recorded the winner, on a word that is not right',
    ],
  ]),
  ...guardsOf('activities/deposing.ts', 'test/activities/deposing.test.ts', [
    [
      'an undecided look is no end',
      'a deposed primary is not left open since too few members answered in one look',
      "primaryRecordOf(cluster, seen, 'NotYet')",
      'primaryRecordOf(cluster, seen)',
      'is waited for while too few members say who is primary',
    ],
    [
      'on record still is not back',
      'a deposed primary is not left open since its successor was recorded a moment after the look',
      'recorded.epoch < deposed',
      'recorded.epoch < 0',
      'is waited for while the failover that deposes it has recorded nobody else yet',
    ],
  ]),
  ...guardsOf('domain/acceptance.ts', 'test/activities/failover.test.ts', [
    [
      'a word counts for one host',
      'what a person said of one old primary covers neither the fence nor the loss of another',
      'accepted?.primary === primary ? accepted : null',
      'accepted',
      'a person answers for the host that was asked about, and for no other',
    ],
  ]),
];
