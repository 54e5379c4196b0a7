import type { Socket } from 'node:net';
import { Looks } from './looks.ts';
import type { Member } from './members.ts';
import type { HeartbeatRow, Said, Standing } from './statements.ts';

/** All simulated hosts: which of their servers serve, and who is connected to them. */
export class Fleet {
  readonly members: readonly Member[];
  readonly looks: Looks;
  /** When a server was killed, by its address; milliseconds of the monotonic clock. */
  readonly #dead = new Map<string, number>();
  readonly #clients = new Map<string, Set<Socket>>();
  /** By the address of the primary. */
  readonly #rows: ReadonlyMap<string, HeartbeatRow>;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.looks = new Looks(members.length);
    this.#rows = new Map(members.map(({ source }) => [source, { token: '', written: 0 }]));
  }

  /** A client of a database server, whose connection ends when the server is killed. */
  admit(place: number, client: Socket): void {
    const { address } = this.member(place);
    const clients = this.#clients.get(address) ?? new Set();
    this.#clients.set(address, clients.add(client));
    client.once('close', () => clients.delete(client));
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

  /** The server's process dies: its connections end, and its host says that it is gone. */
  kill(address: string): void {
    this.#dead.set(address, performance.now());
    for (const client of this.#clients.get(address) ?? []) client.destroy();
  }

  revive(): void {
    this.#dead.clear();
  }
}
