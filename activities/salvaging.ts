import type { HelperAnswerFields } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { stopReplication } from '../adapters/mariadb.ts';
import { endTail, faultOfTail, startTail } from '../adapters/mariadb-tail.ts';
import type { HostName } from '../domain/cluster.ts';
import { receivedBy } from '../domain/election.ts';
import { containsGtids, gtidsBeyond, parseGtids, renderGtids, unionGtids } from '../domain/gtid.ts';
import type { Salvaged, Tail } from '../domain/tail.ts';
import { appliedBy } from '../domain/tail.ts';
import type { Authority } from './authority.ts';
import { knows } from './confirming.ts';
import { unsafe } from './refusal.ts';
import { until } from './steps.ts';

/** A piece is sent through this worker in about a second per megabyte; a larger tail would hold up the failover for minutes. */
const MOST_BYTES = 64 * 1024 * 1024;
const PIECE_MS = 15_000;
const POLL_MS = 20;
const APPLY_MS = 600_000;

/**
 * Exports what the binary log of the dead `primary` holds beyond `received`, on its own host. Asked again, it gives the same answer.
 * @throws AdapterFailure `Unsafe` when its server runs; `Unverified` when its logs cannot be found or its disk has no room
 */
export async function readTail(authority: Authority, { primary, received, readUpTo }: Received): Promise<Tail> {
  const mayCompare = knows(authority.records.get(primary), 2) && PLACE.test(readUpTo ?? '');
  const answer = await authority.order(primary, 'tail-export', {
    logs: 'binlog',
    beyond: received,
    ...(mayCompare ? { read_to: readUpTo ?? '' } : {}),
  });
  const tail = tailFrom(answer);
  // What is before that place was received, and not read again.
  return (answer['from'] ?? '') === '' ? tail : { ...tail, held: unionOf(received, tail.held) };
}

/** As {@link readTail} finds it when all of the log was received. */
export const nothingBeyond = (received: string): Tail => ({
  ...tailFrom({ complete: 'yes' }),
  held: received,
});

/** What a replica has of the log of `primary`. */
interface Received {
  readonly primary: HostName;
  /** Per domain and server. */
  readonly received: string;
  /** How far it has read the log; what is before that need not be read again. */
  readonly readUpTo: string | null;
}

const unionOf = (one: string, other: string): string => renderGtids(unionGtids(parseGtids(one), parseGtids(other)));

const PLACE = /^[\w.-]+:\d+$/;

export const tailFrom = (answer: HelperAnswerFields): Tail => ({
  name: answer['tail'] ?? '',
  count: Number(answer['count'] ?? 0),
  gtids: (answer['gtids'] ?? '').split(',').filter((gtid) => gtid !== ''),
  upTo: answer['up_to'] ?? '',
  held: answer['held'] ?? '',
  complete: answer['complete'] === 'yes',
  why: answer['why'] ?? '',
  bytes: Number(answer['bytes'] ?? 0),
  sha256: answer['sha256'] ?? '',
});

/**
 * Brings a tail from the host of the old primary to the winner, whose threads have nothing left to do, and has it applied there with its GTIDs.
 * A repetition after a death goes on with what the winner still lacks.
 * @returns `quarantined` when the tail is too large to be sent; it stays on the host of the old primary
 * @throws AdapterFailure `Unsafe` when the winner cannot apply it: what it applied before that stays, with everything else undone by the caller
 */
export async function applyTail(
  authority: Authority,
  work: {
    readonly primary: HostName;
    readonly winner: HostName;
    readonly tail: Tail;
    readonly signal: AbortSignal;
  },
): Promise<Salvaged> {
  const { primary, winner, tail, signal } = work;
  if (tail.bytes > MOST_BYTES)
    return {
      kind: 'quarantined',
      why: `${String(tail.bytes)} bytes are more than the ${String(MOST_BYTES)} that are sent to another host; they are in /var/lib/standfast/quarantine/${tail.name} on ${primary}`,
    };
  if (tail.count > 0) {
    await send(authority, work);
    await standAside(authority, winner);
    await applyStaged(authority, { host: winner, tail, signal, isReleased: knows(authority.records.get(winner), 3) });
  }
  return { kind: 'applied', holds: await heldBy(authority, winner) };
}

/**
 * Ends the threads of the winner's own channel, which have nothing left to do. A receiver that is started beside a running applier asks its source for
 * what follows the last it received, not for what follows the tail, and would receive the tail a second time (error 1950). Measured on 10.11.
 */
async function standAside(authority: Authority, winner: HostName): Promise<void> {
  const status = await authority.statusOf(winner);
  const waiting = gtidsBeyond(parseGtids(status.replication?.received ?? ''), appliedBy(status));
  if (waiting.size > 0)
    throw unsafe(
      winner,
      `${winner} has not applied what it received (${renderGtids(waiting)}); no tail is applied to it`,
    );
  await authority.withSession(winner, stopReplication);
}

/** Piece by piece: the winner says how far it is, so that a lost answer costs one piece. */
async function send(
  authority: Authority,
  { primary, winner, tail, signal }: Parameters<typeof applyTail>[1],
): Promise<void> {
  for (let offset = 0; offset < tail.bytes;) {
    signal.throwIfAborted();
    const place = { tail: tail.name, offset: String(offset) };
    const { piece = '' } = await authority.cluster
      .helper(primary)
      .request('tail-read', place, { timeoutMs: PIECE_MS, signal });
    const reached = Number((await authority.order(winner, 'tail-write', { ...place, piece }))['bytes'] ?? 0);
    if (reached <= offset)
      throw new AdapterFailure({
        type: 'Unverified',
        host: winner,
        message: `${winner} has ${String(reached)} bytes of ${tail.name} after the piece at ${String(offset)}`,
      });
    offset = reached;
  }
}

interface Staged {
  readonly host: HostName;
  readonly tail: Tail;
  readonly signal: AbortSignal;
  /** Its copy goes later, with the relay logs that were kept. Helpers before level 3 have to be told at once. */
  readonly isReleased?: boolean;
}

/** Applies a tail that is on `host` already, and ends when the server holds the last transaction that it has of each domain and server. */
export async function applyStaged(
  authority: Authority,
  { host, tail, signal, isReleased = false }: Staged,
): Promise<void> {
  await authority.withSession(host, endTail);
  const staged = await stage(authority, host, tail);
  const log = staged['log'] ?? '';
  if (log === '') return;
  await authority.withSession(host, (session) => startTail(session, log));
  const goal = parseGtids(staged['up_to'] ?? '');
  const applied = await until(
    async () => {
      if (containsGtids(appliedBy(await authority.statusOf(host)), goal)) return true;
      const fault = await authority.withSession(host, faultOfTail);
      if (fault === null) return null;
      throw unsafe(host, `${host} cannot apply the transactions of ${tail.name} up to ${tail.upTo}: ${fault}`);
    },
    { signal, everyMs: POLL_MS, forMs: APPLY_MS },
  );
  if (applied === null)
    throw new AdapterFailure({ type: 'NotYet', host, message: `${host} is still applying ${tail.name}` });
  await authority.withSession(host, endTail);
  if (isReleased) return;
  const left = await stage(authority, host, tail);
  if (left['count'] !== '0') throw unsafe(host, `${host} still lacks ${left['gtids'] ?? ''} of ${tail.name}`);
}

const stage = async (authority: Authority, host: HostName, tail: Tail): Promise<HelperAnswerFields> =>
  authority.order(host, 'tail-stage', {
    tail: tail.name,
    sha256: tail.sha256,
    beyond: renderGtids(appliedBy(await authority.statusOf(host))),
  });

/** Everything that a server holds, per domain and server. */
export const heldBy = async (authority: Authority, host: HostName): Promise<string> =>
  renderGtids(receivedBy(await authority.statusOf(host)));
