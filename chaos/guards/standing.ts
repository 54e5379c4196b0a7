import { guardsOf } from './guard.ts';

const OPENING = 'test/activities/opening.test.ts';
const ADMITTING = 'test/activities/admitting.test.ts';

/** What may be opened, admitted and undone, and in which order. */
export const STANDING = [
  ...guardsOf('activities/opening.ts', OPENING, [
    [
      'no second writer',
      'nothing is opened beside a host that accepts writes',
      'if (writer !== undefined)',
      'if (writer === null)',
      'is not opened while another host accepts writes',
    ],
    [
      'only the recorded primary is opened',
      'a deposed primary stays closed',
      "if (primary.kind === 'known' && primary.record.host !== host)",
      'if (primary === null)',
      'is not opened when another host is recorded as primary by now',
    ],
    [
      'nobody is ahead',
      'a primary that lacks what a replica holds would fork the history',
      'if (own.readOnly) checkNobodyIsAhead(host, own, seen);',
      '',
      'is not opened when a replica holds what it lacks',
    ],
    [
      'half-done promotion is no restart',
      'a winner whose promotion died is promoted to the end, with its proofs',
      "if (primary.kind === 'known' && followedBefore(own, host) !== null)",
      'if (own === null)',
      'is not finished by opening the winner as if it had restarted',
    ],
    [
      'adopted primary recorded before opening',
      'no server is open that a majority does not know as the primary',
      'await authority.recordPrimary(host);',
      '',
      'has its primary recorded on a majority before it is opened',
    ],
    [
      'async while ackers catch up',
      'an acker that restarted covers nothing until it has caught up',
      'if (waiting.some((host) => ackers.includes(host))) await recordAsync(authority, ackers);',
      '',
      'is called async until replicas that restarted too have caught up again',
    ],
    [
      'relay logs kept before a start',
      'a start of both threads deletes the relay log',
      "await authority.order(host, 'keep-relay');",
      '',
      'keeps the relay logs of a replica that restarted too before it starts its threads',
    ],
  ]),
  ...guardsOf('activities/adopting.ts', OPENING, [
    [
      'adoption sees everybody',
      'a cluster is adopted only when no other host can be its primary',
      'if (!isStopped && !isReadOnly)',
      'if (isStopped === null)',
      'is refused while one host cannot be seen to accept no writes',
    ],
  ]),
  ...guardsOf('activities/settling.ts', 'test/activities/settling.test.ts', [
    [
      'only the primary is settled',
      'the channel of a replica is not forgotten',
      'if (now !== primary)',
      'if (now === null)',
      'touches nothing on a host that is not primary any more',
    ],
  ]),
  ...guardsOf('activities/admitting.ts', ADMITTING, [
    [
      'record grows before the acker',
      'whoever acknowledges is in the record',
      "const wasLossless = await steps.run('record', null, () => widen(authority, { ...admission, ackers }));",
      'const wasLossless = true;',
      'grows the record on a majority before the replica acknowledges anything',
    ],
    [
      'only followers of the primary are admitted',
      'an acker of another host covers nothing',
      'if (source !== primary)',
      'if (source === undefined)',
      'is refused to a replica that follows another host',
    ],
    [
      'lossless after catching up',
      'an admission promises nothing before the replica holds what was committed',
      'if (!caughtUp)',
      'if (caughtUp === null)',
      'is lossless only when the replica holds what was committed before',
    ],
    [
      'errant replica vouches for nothing',
      'whoever has writes of its own does not acknowledge those of the primary',
      "if (beyond !== '')",
      'if (beyond === null)',
      'is refused to a replica with transactions that the primary never had',
    ],
  ]),
  ...guardsOf('activities/removing.ts', ADMITTING, [
    [
      'refused before the record shrinks',
      'a replica that only lost its network would come back and acknowledge alone',
      "await steps.run('refuse', primary, () => shutOut(authority, { primary, host }, steps));\n  await steps.run('record', null, async () => {",
      "await steps.run('record', null, async () => {",
      'makes the primary refuse it before the record shrinks',
    ],
  ]),
  ...guardsOf('activities/refusing.ts', ADMITTING, [
    [
      'removed acker seen gone',
      'a connection from another address still acknowledges',
      'return connected.includes(host) ? null : true;',
      'return connected === null ? null : true;',
      'leaves it on record while it is still connected, from another address',
    ],
  ]),
  ...guardsOf('activities/going-async.ts', ADMITTING, [
    [
      'async recorded before it is true',
      'nobody counts on acknowledgements that are not waited for',
      "await steps.run('record', null, () => recordAsync(authority, []));",
      '',
      'is on record on a majority before the primary stops to wait',
    ],
  ]),
  ...guardsOf('activities/fencing.ts', 'test/activities/undoing.test.ts', [
    [
      'undone when found alive',
      'a primary that is alive after all waits for no receiver that an earlier attempt stopped',
      'changed: hasChanged(first.seen, { run, steps })',
      'changed: false',
      'starts the receivers whose stop was all that an attempt did before the primary was found alive',
    ],
  ]),
  ...guardsOf('activities/receivers.ts', 'test/activities/undoing.test.ts', [
    [
      'no start over an unapplied relay log',
      'a start with both threads stopped deletes the relay log',
      'if (!(await applyAtRest(authority, { host, status, signal })))',
      'if (status === null)',
      'applies what only the relay logs of a replica hold before its threads are started',
    ],
    [
      'replica at rest applied, not started',
      'what only the relay logs of a replica with both threads stopped hold is kept',
      'if (!(await applyAtRest(authority, { host, status: before, signal }))) return null;',
      '',
      'keeps what only its relay logs hold',
    ],
  ]),
  ...guardsOf('activities/receivers.ts', 'test/activities/fencing.test.ts', [
    [
      'thrown away relay logs count for nothing',
      'a replica does not know what a start of its threads has deleted',
      'kept.filter((one) => one.isWhole)',
      'kept',
      'counts it for nothing as well when that start comes after the look',
    ],
  ]),
  ...guardsOf('activities/foreseeing.ts', 'test/activities/fencing.test.ts', [
    [
      'thrown away relay logs are foreseen',
      'what will be refused for want of a contribution is refused before anything is changed',
      "if (source === 'no') return",
      "if (source === 'x') return",
      'counts a replica for nothing whose relay logs were thrown away by a start',
    ],
  ]),
  ...guardsOf('activities/unfencing.ts', 'test/activities/undoing.test.ts', [
    [
      'undo of nothing',
      'a run that claimed nothing undoes nothing',
      'if (!answeredRecords(seen).some((records) => isClaimOf(records.epoch, run))) return',
      'if (seen === null) return',
      'does nothing for a run that claimed nothing',
    ],
    [
      'an undone failover runs the events again',
      'a primary that is opened again was started with its scheduler off',
      'managed.events ? [{ what: `events of',
      'false ? [{ what: `events of',
      'has the events run again that the old primary ran',
    ],
  ]),
  ...guardsOf('workflows/failover.ts', 'test/workflows/undo.test.ts', [
    [
      'undo before step',
      'a fence that ended half-way is undone',
      "undo.push(() => critical('undo: remove the fence, open the old primary').undoFence({ cluster, run }));",
      '',
      'the fence of a failover',
    ],
    [
      'point of no return',
      'nothing is undone once the winner may be recorded as primary',
      'undo.commit(`${fenced.winner} may be recorded as primary; start the failover again to go on`);',
      '',
      'undoes nothing, and says what stands',
    ],
  ]),
  ...guardsOf('workflows/admit-replica.ts', 'test/workflows/undo.test.ts', [
    [
      'undo before an admission',
      'an admission that ended half-way is undone',
      'undo.push(() => prompt(`undo the admission of ${host}`).undoAdmission({ cluster, run, host }));',
      '',
      'the admission of a replica',
    ],
  ]),
  ...guardsOf('workflows/provision-replica.ts', 'test/workflows/undo.test.ts', [
    [
      'undo before a copy',
      'a copy that ended half-way is cleaned away',
      'undo.push(() => long(`clean ${target} and ${donor}`).cleanTransfer(transfer));',
      '',
      'the first step of a copy',
    ],
  ]),
  ...guardsOf('workflows/provision-replica.ts', 'test/workflows/proven-copies.test.ts', [
    [
      'a proven copy stays',
      'a copy that is proven is not emptied when it cannot be admitted',
      'undo.commit(`${host} is proven and replicates from ${plan.primary}; to make it count: ${toAdmit(order)}`);',
      '',
      'a copy that is proven stays when it cannot be admitted, and the failure says how it is',
    ],
  ]),
  ...guardsOf('workflows/rejoin-replica.ts', 'test/workflows/proven-copies.test.ts', [
    [
      'who followed before goes on',
      'a return that fails takes no replica from the primary that followed it before',
      'undoRejoin({ cluster, host, followedBefore })',
      'undoRejoin({ cluster, host, followedBefore: false })',
      'a host that %s when its rows differ',
    ],
  ]),
];
