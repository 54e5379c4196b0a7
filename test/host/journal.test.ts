import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

const JOURNAL = '/var/lib/standfast/journal';
const MIB = 1024 * 1024;

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
});
afterAll(() => host.stop());
beforeEach(() => {
  host.shell('rm -rf /var/lib/standfast/*; rm -f /run/standfast/journal*');
});

const claim = (epoch: number) =>
  host.fields('claim', { owner: 'plane-1', epoch, run: `run-${String(epoch)}`, account: 'standfast' });
/** Epoch, verb and outcome of every line of a run. */
const linesOf = (run: string): readonly string[] =>
  (host.fields('journal', { run })['entries'] ?? '').split('\n').map((line) => {
    const [, , epoch, , verb, outcome] = line.split(' ');
    return `${String(epoch)} ${String(verb)} ${String(outcome)}`;
  });
const bytesOf = (file: string): number => Number(host.shell(`stat -c %s ${file} 2>/dev/null || echo 0`));
const BOTH = (epoch: number) => [`${String(epoch)} claim begin`, `${String(epoch)} claim ok`];

it('is bounded, and every run since the one before the last 4 MiB is in it', () => {
  claim(1);
  host.shell(
    `yes "1700000000000000 - 9 other files-log ok ${'x'.repeat(400)}" | head -c ${String(4 * MIB)} >>${JOURNAL}; echo >>${JOURNAL}`,
  );
  claim(2);
  claim(3);
  expect(bytesOf(`${JOURNAL}.1`)).toBeGreaterThan(4 * MIB);
  expect(bytesOf(JOURNAL)).toBeLessThan(10_000);
  expect([linesOf('run-1'), linesOf('run-2'), linesOf('run-3')]).toEqual([BOTH(1), BOTH(2), BOTH(3)]);
  host.shell(`head -c ${String(5 * MIB)} /dev/zero | tr '\\0' '\\n' >>${JOURNAL}`);
  claim(4);
  expect(linesOf('run-1').join('')).not.toContain('claim');
  expect(linesOf('run-4')).toEqual(BOTH(4));
  expect(bytesOf(`${JOURNAL}.1`) + bytesOf(JOURNAL)).toBeLessThan(10 * MIB);
});

it('goes on with a line of its own after one that a power cut has torn', () => {
  claim(1);
  host.shell(`printf '1700000000000000 - 9 torn reco' >>${JOURNAL}; rm -f /run/standfast/journal*`);
  claim(2);
  expect(linesOf('run-1')).toEqual(BOTH(1));
  expect(linesOf('run-2')).toEqual(BOTH(2));
});

it('keeps nobody from an order when it cannot be written, and goes on when it can', () => {
  claim(1);
  host.shell(`cp ${JOURNAL} /tmp/journal; rm ${JOURNAL}; ln -s /dev/full ${JOURNAL}`);
  expect(claim(2)).toMatchObject({ epoch: '2' });
  host.shell(`rm ${JOURNAL}; (cat /tmp/journal; printf '1700000000000000 - 9 ha') >${JOURNAL}`);
  claim(3);
  expect([linesOf('run-1'), linesOf('run-3')]).toEqual([BOTH(1), BOTH(3)]);
});
