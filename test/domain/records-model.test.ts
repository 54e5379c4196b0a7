import { describe, expect, it } from 'vitest';
import { majorityOf } from '../../domain/cluster.ts';
import type { MemberRecords, PrimaryRecord } from '../../domain/records.ts';
import { recordedPrimary } from '../../domain/records.ts';

/**
 * Every order of events of a small cluster, as far as a few operations go: hosts lose power and return, are cut off and come back, and operations die
 * between any two of their steps or are overtaken half-way. A failover claims, reads what the claimed members know, may count the primary that it
 * proves off, confirms, and records its winner, on that host first. What must hold: nobody who may decide ever names a primary older
 * than one that an operation acted on, and no operation acts after a newer one has.
 */
interface Member {
  readonly up: boolean;
  readonly boot: number;
  readonly confirmedAt: number;
  /** It was recorded as primary since its records were confirmed. */
  readonly led: boolean;
  readonly epoch: number;
  readonly primary: PrimaryRecord;
}

interface Operation {
  readonly epoch: number;
  readonly claimed: readonly number[];
  /** Boots of the claimed members, read before the claim. */
  readonly boots: readonly number[];
  readonly stage: 'claimed' | 'confirmed';
  readonly off: number | null;
  readonly winner: number | null;
}

interface World {
  readonly members: readonly Member[];
  readonly operations: readonly Operation[];
  /** The newest record that an operation acted on. */
  readonly acted: PrimaryRecord;
  readonly violation: string | null;
}

interface Shape {
  readonly databases: number;
  readonly witnesses: number;
  readonly operations: number;
  readonly depth: number;
  /** Another rule than ours, to see that the model would notice. */
  readonly rule?: typeof recordedPrimary;
}

const name = (index: number): string => `m${String(index)}`;

function start({ databases, witnesses }: Shape): World {
  const primary = { epoch: 1, host: name(0) };
  const members = Array.from({ length: databases + witnesses }, (_, index): Member => ({
    ...{ up: true, boot: 1, confirmedAt: 1, led: index === 0, epoch: 1, primary },
  }));
  return { members, operations: [], acted: primary, violation: null };
}

const recordsOf = ({ boot, confirmedAt, led, epoch, primary }: Member): MemberRecords => ({
  ...{ owner: 'plane', epoch: { number: epoch, run: 'r' }, primary, sync: null, fenced: false },
  standing: boot !== confirmedAt && led ? 'booted' : 'sure',
});

function subsets(items: readonly number[]): readonly (readonly number[])[] {
  return items.reduce<readonly (readonly number[])[]>(
    (sets, item) => [...sets, ...sets.map((set) => [...set, item])],
    [[]],
  );
}

type Change = (member: Member, index: number) => Member;

const change = (world: World, indexes: readonly number[], how: Change): World => ({
  ...world,
  members: world.members.map((member, index) => (indexes.includes(index) ? how(member, index) : member)),
});

const replace = (world: World, old: Operation | null, next: Operation | null): World => ({
  ...world,
  operations: [...world.operations.filter((one) => one !== old), ...(next === null ? [] : [next])],
});

const upOf = (world: World): readonly number[] => world.members.flatMap((member, index) => (member.up ? [index] : []));

/** Whom a group of members would name, if it may name anybody. */
const named = (world: World, group: readonly number[], shape: Shape): PrimaryRecord | null => {
  const found = group.map((index) => recordsOf(world.members[index] as Member));
  const known = (shape.rule ?? recordedPrimary)(found, world.members.length);
  return known.kind === 'known' ? known.record : null;
};

function checked(world: World, shape: Shape): World {
  for (const group of subsets(upOf(world))) {
    const record = named(world, group, shape);
    if (record !== null && record.epoch < world.acted.epoch)
      return { ...world, violation: `${group.map(name).join('+')} names ${record.host}@${String(record.epoch)}` };
  }
  return world;
}

function power(world: World): readonly World[] {
  return world.members.flatMap((member, index) =>
    member.up
      ? [change(world, [index], (one) => ({ ...one, up: false }))]
      : [change(world, [index], (one) => ({ ...one, up: true, boot: one.boot + 1 }))],
  );
}

/** A cut is a claim that reaches only some: any group of those that are up. */
function claims(world: World, shape: Shape): readonly World[] {
  if (world.operations.length >= shape.operations) return [];
  return subsets(upOf(world)).flatMap((claimed) => {
    if (claimed.length === 0) return [];
    const epoch = Math.max(...claimed.map((index) => (world.members[index] as Member).epoch)) + 1;
    const boots = claimed.map((index) => (world.members[index] as Member).boot);
    const next = change(world, claimed, (one) => ({ ...one, epoch }));
    return [replace(next, null, { epoch, claimed, boots, stage: 'claimed', off: null, winner: null })];
  });
}

/** Reads under the claim, proves the primary off or not, and confirms those that are still in the boot that was read first. */
function confirmations(world: World, operation: Operation, shape: Shape): readonly World[] {
  const obeying = operation.claimed.filter((index) => {
    const member = world.members[index] as Member;
    return member.up && member.epoch === operation.epoch;
  });
  const record = named(world, obeying, shape);
  if (record === null) return [replace(world, operation, null)];
  const primary = Number(record.host.slice(1));
  const same = obeying.filter(
    (index) => (world.members[index] as Member).boot === operation.boots[operation.claimed.indexOf(index)],
  );
  const confirmed = change(world, same, (one, index) => ({
    ...{ ...one, primary: record, confirmedAt: one.boot, led: record.host === name(index) },
  }));
  const winners = Array.from({ length: shape.databases }, (_, index) => index).filter((index) =>
    obeying.includes(index),
  );
  const majority = majorityOf(world.members.length);
  return winners.flatMap((winner) =>
    [null, primary].flatMap((off) => {
      if (off === winner) return [];
      const votes = new Set([...obeying, ...(off === null ? [] : [off])]).size;
      if (votes < majority) return [];
      const after = off === null ? confirmed : change(confirmed, [off], (one) => ({ ...one, up: false }));
      return [replace(after, operation, { ...operation, claimed: obeying, stage: 'confirmed', off, winner })];
    }),
  );
}

/** On the winner first, then on any of the others; it acts when that was a majority, and dies in any case. */
function recordings(world: World, operation: Operation): readonly World[] {
  const { winner, off, epoch } = operation;
  if (winner === null) return [];
  const obeys = (index: number): boolean => {
    const member = world.members[index] as Member;
    return member.up && member.epoch === epoch;
  };
  if (!obeys(winner)) return [replace(world, operation, null)];
  const others = operation.claimed.filter((index) => index !== winner && obeys(index));
  return subsets(others).map((set) => {
    const record = { epoch, host: name(winner) };
    const written = [winner, ...set];
    const next = change(world, written, (one, index) => ({
      ...one,
      primary: record,
      led: one.led || index === winner,
    }));
    const ended = replace(next, operation, null);
    const votes = new Set([...written, ...(off === null ? [] : [off])]).size;
    if (votes < majorityOf(world.members.length)) return ended;
    if (epoch < world.acted.epoch)
      return { ...ended, violation: `epoch ${String(epoch)} acted after epoch ${String(world.acted.epoch)}` };
    return { ...ended, acted: record };
  });
}

const stepsFrom = (world: World, shape: Shape): readonly World[] => [
  ...power(world),
  ...claims(world, shape),
  ...world.operations.flatMap((operation) =>
    operation.stage === 'claimed' ? confirmations(world, operation, shape) : recordings(world, operation),
  ),
];

/** The first violation, or how many different worlds were seen. */
function explore(shape: Shape): { readonly worlds: number; readonly violation: string | null } {
  const seen = new Set<string>();
  const isNew = (world: World): boolean => seen.size < seen.add(JSON.stringify(world)).size;
  let border: readonly World[] = [start(shape)];
  for (let depth = 0; depth < shape.depth; depth += 1) {
    border = border.flatMap((world) => stepsFrom(world, shape).filter(isNew)).map((world) => checked(world, shape));
    const bad = border.find((world) => world.violation !== null);
    if (bad !== undefined) return { worlds: seen.size, violation: bad.violation };
  }
  return { worlds: seen.size, violation: null };
}

const SHAPES: readonly (readonly [string, Shape])[] = [
  ['two hosts', { databases: 2, witnesses: 0, operations: 2, depth: 8 }],
  ['two hosts and a witness', { databases: 2, witnesses: 1, operations: 2, depth: 6 }],
  ['three hosts', { databases: 3, witnesses: 0, operations: 2, depth: 5 }],
];

describe('in every order of power cuts, returns, cuts, deaths and failovers', () => {
  it.each(SHAPES)('%s never name an older primary than one that was acted on', (_, shape) => {
    const { violation, worlds } = explore(shape);
    expect(violation).toBeNull();
    expect(worlds).toBeGreaterThan(5_000);
  });

  it('two would, if a host that was counted as off counted as soon as it is back', () => {
    const rule: typeof recordedPrimary = (records, members) =>
      recordedPrimary(
        records.map((one) => ({ ...one, standing: 'sure' })),
        members,
      );
    expect(explore({ databases: 2, witnesses: 0, operations: 1, depth: 6, rule }).violation).toMatch(/names m0@1/);
  });

  it('three would, if one that answers and one that is proven off could decide', () => {
    const rule: typeof recordedPrimary = (records) => recordedPrimary(records, records.length);
    expect(explore({ databases: 3, witnesses: 0, operations: 2, depth: 5, rule }).violation).not.toBeNull();
  });
});
