import type { Socket } from 'node:net';
import { Looks } from './looks.ts';
import type { Member } from './members.ts';
import type { Beat, Said, Standing } from './statements.ts';

const BEAT = /^CALL standfast\.beat\('watch', '([^']+)'\)$/;

/** All simulated hosts: which of their servers serve, and who is connected to them. */
export class Fleet {
  readonly members: readonly Member[];
  readonly looks: Looks;
  readonly #places: ReadonlyMap<string, number>;
  /** When a server was killed, by its address; milliseconds of the monotonic clock. */
  readonly #dead = new Map<string, number>();
  /** By cluster. */
  readonly #beats = new Map<string, Beat>();
  readonly #clients = new Map<string, Set<Socket>>();

  constructor(members: readonly Member[]) {
    this.members = members;
    this.looks = new Looks(members.length);
    this.#places = new Map(members.map(({ address }, place) => [address, place]));
  }

  /** The host whose database server a client wants; null: there is none, or it was killed, and the connection is reset. */
  admit(socket: Socket): number | null {
    const place = this.placeOf(socket);
    const address = socket.localAddress ?? '';
    if (place === null || this.#dead.has(address)) {
      socket.resetAndDestroy();
      return null;
    }
    socket.setNoDelay(true);
    const clients = this.#clients.get(address) ?? new Set();
    this.#clients.set(address, clients.add(socket));
    socket.once('close', () => clients.delete(socket));
    return place;
  }

  placeOf({ localAddress = '' }: Socket): number | null {
    return this.#places.get(localAddress) ?? null;
  }

  member(place: number): Member {
    const member = this.members[place];
    if (member === undefined) throw new Error(`there is no simulated host ${String(place)}`);
    return member;
  }

  serves(address: string): boolean {
    return !this.#dead.has(address);
  }

  standing(place: number): Standing {
    const member = this.member(place);
    const nowMs = performance.now();
    return {
      member,
      upSeconds: nowMs / 1_000,
      sourceServes: this.serves(member.source),
      sourceUpSeconds: (this.#dead.get(member.source) ?? nowMs) / 1_000,
      beat: this.#beats.get(member.cluster) ?? null,
    };
  }

  note(place: number, text: string, said: Said): void {
    const { role, cluster } = this.member(place);
    const token = BEAT.exec(text)?.[1];
    if (token !== undefined) this.#beats.set(cluster, { token, writtenMs: Date.now() });
    const nowMs = performance.now();
    if (said.kind === 'unknown') this.looks.notKnown(`the statement ${text.slice(0, 200)}`);
    else {
      if (said.counts === 'probe') this.looks.probed(place, nowMs);
      this.looks.asked({ role, text }, said, nowMs);
    }
  }

  /** The server's process dies, as by SIGKILL: its connections end, and its port answers nobody; its host lives. */
  kill(address: string): void {
    this.#dead.set(address, performance.now());
    for (const socket of this.#clients.get(address) ?? []) socket.resetAndDestroy();
  }

  revive(): void {
    this.#dead.clear();
  }
}
