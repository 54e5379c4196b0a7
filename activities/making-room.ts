import type { Crowd } from '../adapters/mariadb-room.ts';
import { limitConnections, readCrowd } from '../adapters/mariadb-room.ts';
import type { Ports, Session } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import { connectedHosts } from '../domain/acknowledgement.ts';
import type { HostName } from '../domain/cluster.ts';
import type { ServerStatus } from '../domain/observation.ts';
import type { MakeRoomResult } from '../domain/report.ts';
import type { Receivers } from '../domain/room.ts';
import { areLockedOut, isRaisedFrom, raisedLimit } from '../domain/room.ts';
import { askServers, glance } from './asking.ts';
import type { Authority } from './authority.ts';
import { claimEpoch } from './claiming.ts';
import type { Activities } from './contract.ts';
import { ensureHelper } from './equipping.ts';
import { requireAnswer, standingOf } from './standing.ts';
import type { StepHooks, Steps } from './steps.ts';
import { inSteps, until } from './steps.ts';

/** A receiver tries once a second. */
const ROUND_MS = 3_000;
const ROUNDS = 8;
const EMPTIER_MS = 20_000;
const POLL_MS = 100;

/** The primary, as the operation found it. */
interface Found {
  readonly primary: HostName;
  readonly ackers: readonly HostName[];
  readonly areLockedOut: boolean;
  /** How many connections it took before an earlier attempt, or run, raised that; null: none did. */
  readonly left: number | null;
}

/** The records and the servers, read again under the claim: whoever started this may have seen another state. */
async function look(authority: Authority, { signal }: Steps): Promise<Found> {
  const { cluster } = authority;
  const { primary, sync } = await standingOf(cluster);
  await requireAnswer(cluster, { primary, signal });
  const ackers = sync?.mode === 'lossless' ? sync.ackers.filter((acker) => acker !== primary) : [];
  const [own, statuses, said] = await Promise.all([
    authority.statusOf(primary),
    askServers(cluster, ackers),
    glance(cluster, primary),
  ]);
  const receivers: Receivers = new Map(ackers.map((acker) => [acker, statuses.get(acker)?.replication ?? null]));
  const isWaiting = own.semiSync.primaryEnabled && attachedOf(authority, { own, ackers, statuses }).length === 0;
  const left = said['room'] === undefined ? null : Number(said['room']);
  return { primary, ackers, areLockedOut: isWaiting && areLockedOut(primary, receivers), left };
}

interface Seen {
  readonly own: ServerStatus;
  readonly ackers: readonly HostName[];
  /** Of the ackers that answered. */
  readonly statuses: ReadonlyMap<HostName, ServerStatus>;
}

/**
 * Which of the ackers the primary has connections of. Of one that was cut off it has an old one, whose end it has not heard of: who says itself that it is still trying is
 * not attached. Who says nothing may be.
 */
const attachedOf = ({ cluster }: Authority, { own, ackers, statuses }: Seen): readonly HostName[] =>
  connectedHosts({ hosts: cluster.description.hosts, statuses }, own.semiSync.attached ?? []).filter(
    (host) => ackers.includes(host) && statuses.get(host)?.replication?.receiver !== 'connecting',
  );

/** How the primary was when room was made on it. */
interface Room {
  /** What is to be put back. */
  readonly limit: number;
  readonly refuses: boolean;
  readonly before: Crowd;
}

/**
 * While the kernel refuses whoever else comes, for seconds. The helper notes the limit that is to be put back before it is raised, and keeps the one that it was told of
 * first; where somebody has set another one since, that one is.
 */
async function widen(authority: Authority, session: Session, primary: HostName): Promise<Room> {
  const { hosts } = authority.cluster.description;
  const others = hosts.map(({ name }) => name).filter((name) => name !== primary);
  const addresses = others.map((name) => authority.cluster.endpoint(name).address).join(',');
  const before = await readCrowd(session);
  const order = { limit: String(before.limit), addresses };
  let said = await authority.order(primary, 'make-room', order);
  if (Number(said['limit']) !== before.limit && !isRaisedFrom(Number(said['limit']), hosts.length, before.limit)) {
    await authority.order(primary, 'end-room');
    said = await authority.order(primary, 'make-room', order);
  }
  const limit = Number(said['limit']);
  await limitConnections(session, raisedLimit(limit, hosts.length, before.limit));
  return { limit, refuses: said['refuses'] === 'yes', before };
}

async function makeRoomOn(authority: Authority, primary: HostName): Promise<Room> {
  await ensureHelper(authority.cluster, primary);
  return authority.withSession(primary, (session) => widen(authority, session, primary));
}

/** Until an acker is attached and commits go on. @returns who is attached; nobody: none came in time */
const attach = (authority: Authority, found: Found, { room, signal }: { room: Room; signal: AbortSignal }) =>
  authority.withSession(found.primary, async (session): Promise<readonly HostName[]> => {
    const attached = async (): Promise<readonly HostName[] | null> => {
      const own = await authority.statusOn(session);
      const { waiting, acknowledged } = await readCrowd(session);
      const goOn = waiting === 0 || acknowledged > room.before.acknowledged;
      if (own.semiSync.clients === 0 || !goOn) return null;
      const { ackers } = found;
      const names = attachedOf(authority, { own, ackers, statuses: await askServers(authority.cluster, ackers) });
      return names.length > 0 ? names : null;
    };
    for (let round = 1; ; round += 1) {
      const names = await until(attached, { signal, everyMs: POLL_MS, forMs: ROUND_MS });
      if (names !== null) return names;
      if (round === ROUNDS) return [];
      await widen(authority, session, found.primary);
    }
  });

interface PuttingBack {
  readonly primary: HostName;
  readonly limit: number;
  /** How long fewer connections are waited for; 0: nobody came, and clients are let in again behind it. */
  readonly forMs: number;
}

/** The limit as it is then. `theirs`: somebody else has set it, and it stands. `later`: more are connected than the limit was; it stays raised, and noted. */
interface Restored {
  readonly kind: 'back' | 'later' | 'theirs';
  readonly now: number;
}

/**
 * Everybody may connect again, and when fewer are connected than the limit was, it is put back. While more are, a server with that limit has no place any more even for an
 * administrator, so it stays as it is. In vain, it is as before when nobody was added: full, with the place of an administrator.
 */
const putBack = (authority: Authority, { primary, limit, forMs }: PuttingBack, signal: AbortSignal) =>
  authority.withSession(primary, async (session): Promise<Restored> => {
    const admitClients = () => authority.order(primary, 'make-room', { limit: String(limit) });
    // Where nobody came they would take all that was added before it is lowered.
    if (forMs > 0) await admitClients();
    // This session is one of those that are connected; in a full server it has the place of an administrator.
    const most = forMs > 0 ? limit - 1 : limit + 1;
    const fits = async (): Promise<true | null> => ((await readCrowd(session)).connected <= most ? true : null);
    const isEmptier = (await until(fits, { signal, everyMs: POLL_MS, forMs })) !== null;
    const { limit: present } = await readCrowd(session);
    const isOurs = isRaisedFrom(limit, authority.cluster.description.hosts.length, present);
    if (isOurs && !isEmptier) {
      if (forMs === 0) await admitClients();
      return { kind: 'later', now: present };
    }
    if (isOurs) await limitConnections(session, limit);
    await authority.order(primary, 'end-room');
    return isOurs || present === limit ? { kind: 'back', now: limit } : { kind: 'theirs', now: present };
  });

export const makingRoomActivities = (ports: Ports, hooks: StepHooks): Pick<Activities, 'makeRoom'> => ({
  makeRoom: ({ cluster, run }) =>
    inSteps(hooks, async (steps): Promise<MakeRoomResult> => {
      const { signal } = steps;
      const managed = await ports.cluster(cluster);
      const authority = await steps.run('claim', null, () =>
        claimEpoch(managed, { run, claimant: steps.claimant, include: [] }),
      );
      const found = await steps.run('check', null, () => look(authority, steps));
      const { primary, ackers } = found;
      const result = (rest: Pick<MakeRoomResult, 'outcome' | 'attached' | 'limit' | 'sentence'>): MakeRoomResult => ({
        ...{ cluster, primary, epoch: authority.epoch, timeline: steps.timeline },
        ...rest,
      });
      if (!found.areLockedOut && found.left === null) {
        const sentence = `${primary} was left alone: it is not so that ${ackers.join(', ') || 'an acker'} finds no connection free there`;
        return result({ outcome: 'left-alone', attached: [], limit: null, sentence });
      }
      const room = found.areLockedOut ? await steps.run('room', primary, () => makeRoomOn(authority, primary)) : null;
      const attached = room && (await steps.run('attach', primary, () => attach(authority, found, { room, signal })));
      const limit = room?.limit ?? found.left ?? 0;
      const forMs = attached?.length === 0 ? 0 : EMPTIER_MS;
      const { kind, now } = await steps.run('restore', primary, () =>
        putBack(authority, { primary, limit, forMs }, signal),
      );
      const back = BACK[kind](limit, now);
      if (attached?.length === 0) throw nobodyCame(cluster, { primary, ackers, back });
      return result({
        ...{ outcome: room === null ? 'put-back' : 'made-room', attached: attached ?? [] },
        limit: { configured: limit, now },
        sentence: [room && madeSentence(primary, { room, attached: attached ?? [] }), back]
          .filter((one) => one !== null)
          .join('; '),
      });
    }),
});

const madeSentence = (
  primary: HostName,
  { room, attached }: { readonly room: Room; readonly attached: readonly HostName[] },
): string =>
  `${primary} was full of writes that waited, and ${attached.join(', ')} is connected to it again: its limit of connections was raised${room.refuses ? ', and for a moment its kernel refused whoever else came' : ' (its kernel could not refuse anybody else meanwhile)'}`;

const BACK: Readonly<Record<Restored['kind'], (limit: number, now: number) => string>> = {
  back: (limit) => `max_connections is ${String(limit)} as before`,
  later: (limit, now) =>
    `max_connections is ${String(now)} until fewer than ${String(limit)} are connected, and a watcher puts it back then`,
  theirs: (limit, now) =>
    `max_connections is ${String(now)}, which somebody has set meanwhile (it was ${String(limit)}), and stays so`,
};

const nobodyCame = (
  cluster: string,
  { primary, ackers, back }: Pick<Found, 'primary' | 'ackers'> & { readonly back: string },
): AdapterFailure =>
  new AdapterFailure({
    type: 'Unsafe',
    host: primary,
    message: `${ackers.join(', ')} did not come back to ${primary} in ${String((ROUNDS * ROUND_MS) / 1_000)} s, though room was made there, and writes wait; ${back}. Look at the receivers of ${ackers.join(', ')}; to let the writes go on without them, where policy.alone is async: standfast acker none ${cluster}`,
  });
