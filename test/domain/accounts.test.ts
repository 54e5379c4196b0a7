import { expect, test } from 'vitest';
import type { HeldGrants } from '../../domain/accounts.ts';
import { judgeGrants, REQUIRED_GRANTS } from '../../domain/accounts.ts';

const names = { operation: "'op'@'%'", replication: "'repl'@'%'", heartbeat: "'beat'@'localhost'" };

const all: readonly HeldGrants[] = (['operation', 'replication', 'heartbeat'] as const).map((account) => {
  const of = (on: string) => REQUIRED_GRANTS.filter((one) => one.account === account && one.on === on);
  return {
    account,
    grantee: `'${account}'@'10.0.0.%'`,
    global: of('*.*').flatMap(({ privileges }) => privileges),
    standfast: of('standfast.*').flatMap(({ privileges }) => privileges),
  };
});

test('accounts with exactly what is asked for lack nothing', () => {
  expect(judgeGrants(all, names).filter(({ isHeld }) => !isHeld)).toEqual([]);
});

test('each privilege that is taken away is the one that is missed, with the statement that gives it back', () => {
  for (const { account, on, privileges } of REQUIRED_GRANTS)
    for (const privilege of privileges) {
      const without = (list: readonly string[]) => list.filter((one) => one !== privilege);
      const held = all.map((one) =>
        one.account === account
          ? { ...one, ...(on === '*.*' ? { global: without(one.global) } : { standfast: without(one.standfast) }) }
          : one,
      );
      const missed = judgeGrants(held, names).filter(({ isHeld }) => !isHeld);
      expect(missed.map(({ statement }) => statement)).toEqual([
        `GRANT ${privilege} ON ${on} TO '${account}'@'10.0.0.%'`,
      ]);
    }
});

test('a privilege on everything counts for the database, and one on the database not for everything', () => {
  const [operation] = all;
  if (operation === undefined) throw new Error('there is an operation account');
  const everything = { ...operation, global: [...operation.global, ...operation.standfast], standfast: [] };
  expect(judgeGrants([everything], names).every(({ isHeld, account }) => isHeld === (account === 'operation'))).toBe(
    true,
  );
  const narrow = { ...operation, global: [], standfast: [...operation.global, ...operation.standfast] };
  expect(judgeGrants([narrow], names).filter(({ isHeld, on }) => isHeld && on === '*.*')).toEqual([]);
});

test('an account that is not there lacks everything, and is named as it is to be made', () => {
  const missed = judgeGrants([], names).filter(({ account }) => account === 'heartbeat');
  expect(missed[0]?.statement).toBe("GRANT SELECT ON standfast.* TO 'beat'@'localhost'");
  expect(missed.every(({ isHeld }) => !isHeld)).toBe(true);
});
