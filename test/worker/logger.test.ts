import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { writeLine } from '../../worker/logger.ts';

it('a log on a full disk ends no worker, and holds none up', () => {
  const full = openSync('/dev/full', 'w');
  writeLine(full, 'nobody reads this\n');
  closeSync(full);
});

it('a log that can be written has every line, whole', () => {
  const place = path.join(mkdtempSync(path.join(tmpdir(), 'standfast-log-')), 'log');
  const file = openSync(place, 'w');
  for (const line of ['one', 'two', 'drei für €3']) writeLine(file, `${line}\n`);
  closeSync(file);
  expect(readFileSync(place, 'utf8')).toBe('one\ntwo\ndrei für €3\n');
});
