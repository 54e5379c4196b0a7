import type { Socket } from 'node:net';
import { Looks } from './looks.ts';
import type { Member } from './members.ts';
import type { HeartbeatRow, Said, Standing } from './statements.ts';

/** All simulated hosts: which of their servers serve, and who is connected to them. */
export class Fleet {
  readonly members: readonly Member[];
  readonly looks: Looks;
  readonly #places: ReadonlyMap<string, number>;
  /** When a server was killed, by its address; milliseconds of the monotonic clock. */
  readonly #dead = new Map<string, number>();
  readonly #clients = new Map<string, Set<Socket>>();
  /** By the address of the primary. */
  readonly #rows: ReadonlyMap<string, HeartbeatRow>;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.looks = new Looks(members.length);
    this.#rows = new Map(members.map(({ source }) => [source, { token: '', written: 0 }]));
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
    const row = this.#rows.get(member.source);
    if (row === undefined) throw new Error(`${member.name} of ${member.cluster} has no primary`);
    return {
      ...{ member, row },
      upSeconds: nowMs / 1_000,
      sourceServes: this.serves(member.source),
      sourceUpSeconds: (this.#dead.get(member.source) ?? nowMs) / 1_000,
    };
  }

  note(place: number, text: string, said: Said): void {
    const { role } = this.member(place);
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
