import { guardsOf } from './guard.ts';

/** What an operation keeps to while it acts: authority, order, proof. */
export const OPERATIONS = [
  ...guardsOf('activities/fencing.ts', 'test/activities/fencing.test.ts', [
    [
      're-diagnosis under the claim',
      'a primary that came back before the claim is left alone',
      'requireDead(diagnosis, found);',
      '',
      'is left alone when it answers again under the claim',
    ],
    [
      'stale votes',
      'a worker that was frozen does not fence on what it saw before',
      'requireFresh(agreed);',
      '',
      'is not fenced on votes that are older than a few seconds',
    ],
    [
      'votes count from the look',
      'a look that was over before the claim was is no younger for that',
      'agreed: agreedNow(primary)',
      'agreed: { primary, agreedAt: Number.POSITIVE_INFINITY }',
      'is not fenced on votes that grew old while the members accepted the claim',
    ],
  ]),
  ...guardsOf('activities/listening.ts', 'test/activities/fencing.test.ts', [
    [
      'what a replica heard between the looks',
      'a primary that a replica heard after the first look is not fenced',
      'hearsSource: hasHeard(before.replication, now) };',
      'hearsSource: false };',
      'lives when a replica has heard it since the first look',
    ],
  ]),
  ...guardsOf('activities/patience.ts', 'test/activities/patience.test.ts', [
    [
      'busy host waited for',
      'a host that is only busy is fenced by its helper, and keeps its power',
      'if (await this.#isThere(host, leftMs)) return new Promise(() => undefined);',
      '',
      'goes on for its host when that is only busy',
    ],
  ]),
  ...guardsOf('activities/ladder.ts', 'test/activities/fencing.test.ts', [
    [
      'unproven fence needs a person',
      'no server is promoted beside one that may still acknowledge, unless a person answers for it',
      'refuseUnaccepted({ fence: unproven, loss: null }, found);',
      '',
      'without its proof ends in a refusal, and no replica is touched',
    ],
    [
      'enough ackers revoke',
      'a primary with one acker left still acknowledges',
      'if (!revocation.enough)',
      'if (revocation === null)',
      'is not revoked by fewer ackers than it takes',
    ],
  ]),
  ...guardsOf('domain/acceptance.ts', 'test/activities/failover.test.ts', [
    [
      'no more lost than the policy allows',
      'nothing beyond what the policy or a person allows is lost',
      '(mayLose > 0 && count <= mayLose)',
      'mayLose > 0',
      'asks a person when it would lose one more than the policy allows',
    ],
  ]),
  ...guardsOf('activities/receivers.ts', 'test/activities/failover.test.ts', [
    [
      'relay logs kept',
      'what only a relay log holds survives whatever is done to the threads',
      "const answer = await authority.order(host, 'keep-relay', ofGoneSource(authority, { host, gone }));",
      "const answer: Record<string, string> = { source: 'yes' };",
      'keeps the relay logs of every replica before it touches a thread of it',
    ],
    [
      'relay logs kept again',
      'what a replica received while its relay logs were being kept is kept as well',
      "if (!containsGtids(kept.received, received)) await authority.order(host, 'keep-relay');",
      '',
      'keeps the relay logs of a replica again that received more meanwhile',
    ],
  ]),
  ...guardsOf('adapters/mariadb.ts', 'test/activities/failover.test.ts', [
    [
      'applier before receiver',
      'a start with both threads stopped deletes the relay log',
      "export async function stopReceiver(session: Session): Promise<void> {\n  await session.rows('START SLAVE SQL_THREAD', [], { timeoutMs: STOP_MS });",
      'export async function stopReceiver(session: Session): Promise<void> {',
      'saves what is in the relay log of a replica whose applier was stopped',
    ],
  ]),
  ...guardsOf('activities/draining.ts', 'test/activities/failover.test.ts', [
    [
      'received = applied',
      'a winner is opened with everything that it received',
      "await steps.run('drain', winner.host, () => drain(authority, winner.host, steps));",
      '',
      'opens the winner only when everything that it received is applied',
    ],
  ]),
  ...guardsOf('activities/promoting.ts', 'test/activities/failover.test.ts', [
    [
      'primary record before opening',
      'no server is open that a majority does not know as the primary',
      "authority.recordPrimary(winner, syncRecord({ mode: 'async', ackers: mayAcknowledge })),",
      'Promise.resolve(mayAcknowledge.includes(syncRecord.name)),',
      'records the new primary on a majority before it opens it',
    ],
    [
      'no RESET before opening',
      'a promotion that died is recognised by the channel that is still there',
      'if (before.replication !== null) await stopReplication(session);',
      "if (before.replication !== null) { await stopReplication(session); await session.rows('RESET SLAVE ALL'); }",
      'that died between the stopped threads and the opening is gone on with by the next one',
    ],
    [
      'relay logs kept before a new source',
      'CHANGE MASTER deletes the relay log',
      "if (!work.isKept) await authority.order(host, 'keep-relay');",
      '',
      'keeps the relay logs again before a replica follows another source',
    ],
  ]),
  ...guardsOf('activities/promoting.ts', 'test/activities/promoting.test.ts', [
    [
      'opened only while it waits',
      'a server that was started anew before it was opened waits for nobody',
      "if (mode === 'lossless' && faultsOfWaiting(before.semiSync).length > 0)",
      "if (mode === 'lossless' && faultsOfWaiting(before.semiSync).length > 99)",
      'whose server was started anew after it had promised to wait is not opened before it waits again',
    ],
    [
      'opened, verified',
      'clients are not led to a server that refuses them',
      'if (after.readOnly)',
      'if (after.readOnly && after.serverId < 0)',
      'that refuses to be opened is not routed to',
    ],
  ]),
  ...guardsOf('activities/acknowledging.ts', 'test/activities/promoting.test.ts', [
    [
      'acker before VIP',
      'writes through the VIP are acknowledged by somebody from the first one on',
      'const bounds = { signal: steps.signal, forMs: ATTACH_MS };',
      'const bounds = { signal: steps.signal, forMs: 0 };',
      'waits for an attached acker before clients are led to it',
    ],
    [
      'alone: stop',
      'a server that nobody acknowledges stays closed when the policy says so',
      "const waits = mode === 'semisync' && alone === 'stop';",
      'const waits = mode === null;',
      'is not made, and the server stays closed, while nobody attaches',
    ],
  ]),
  ...guardsOf('domain/acknowledgement.ts', 'test/activities/promoting.test.ts', [
    [
      'lossless verified: waits',
      'losslessness is seen on the server, not believed',
      "[semi.primaryEnabled, 'semi-sync is switched off on it'],",
      '',
      'waits at all',
    ],
    [
      'lossless verified: AFTER_SYNC',
      'a commit is visible only when it is acknowledged',
      "[semi.waitPoint === 'AFTER_SYNC', ",
      '[true, ',
      'waits before a commit is visible',
    ],
    [
      'lossless verified: with no replica',
      'a commit waits also when nobody is attached',
      '[semi.waitsWithoutReplica, ',
      '[true, ',
      'waits also when nobody is attached',
    ],
    [
      'lossless verified: no timeout',
      'semi-sync never falls back to async by itself',
      '[BigInt(semi.timeoutMs) >= NEVER_MS, ',
      '[true, ',
      'never stops to wait',
    ],
  ]),
  ...guardsOf('activities/routing.ts', 'test/activities/promoting.test.ts', [
    [
      'ARP check',
      'no other host answers for the VIP',
      "heard.mac !== '' && heard.mac !== own.mac",
      "heard.mac === '' && heard.mac !== own.mac",
      'is not called proven while another host answers for it',
    ],
    [
      'write through the VIP',
      'the VIP leads to a server that commits, and to the right one',
      'if (server !== serverId)',
      'if (server === -1)',
      'is not called proven when a write through it ends on a server that refuses it',
    ],
    [
      'VIP dropped first',
      'two hosts never hold the VIP',
      "await authority.order(member, 'vip-drop', placeOf(cluster));",
      'void placeOf;',
      'is dropped by whoever else holds it before the new primary takes it',
    ],
    [
      'unconfirmed roles outranked',
      'a silent host that still has a role does not win the VIP back',
      'Math.min(13, 1 + unconfirmed + (own?.number ?? 0))',
      'Math.min(1, 1 + (own?.number ?? 0))',
      'outranks a host that is silent and may still hold it',
    ],
  ]),
  ...guardsOf('workflows/undo.ts', 'test/workflows/cancellation.test.ts', [
    [
      'cancelled says what stands',
      'a cancelled run does not hide what could not be undone',
      'cancelled && facts.notUndone.length === 0',
      'cancelled',
      'a cancelled failover says what could not be undone',
    ],
    [
      'cancelled with its worker',
      'a cancelled run whose worker died is no failure',
      'const cancelled = isCancelled(error);',
      'const cancelled = isCancellation(error);',
      'a failover whose worker died after it was cancelled is undone, and ends as cancelled',
    ],
  ]),
];
