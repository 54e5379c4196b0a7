import { expect, test } from 'vitest';
import { plain } from '../../client/paint.ts';
import { renderRejoin } from '../../client/render-rejoin.ts';
import type { StandfastApi } from '../../client/standfast.ts';
import type { RejoinResult } from '../../domain/rejoin.ts';
import { run } from './cli-world.ts';

const clean: RejoinResult = {
  ...{ outcome: 'rejoined', cluster: 'shop', host: 'db1', primary: 'db2', mode: 'lossless', timeline: [] },
  checksum: { tables: 12, position: '0-2-140' },
  sentence: 'db1 replicates from db2 and counts again: 12 tables equal at 0-2-140',
};
const diverged: RejoinResult = {
  ...{ outcome: 'quarantined', cluster: 'shop', host: 'db1', primary: 'db2', timeline: [] },
  tails: [
    {
      ...{ name: '7-binlog', count: 2, gtids: ['0-1-101', '0-1-102'], upTo: '0-1-102', held: '0-1-102' },
      ...{ complete: true, why: '', bytes: 733, sha256: '' },
    },
  ],
  remedy: 'read tail.sql there',
  sentence: 'db1 holds 2 transactions that nobody else has: 0-1-101, 0-1-102',
};

const answering = (result: RejoinResult): { readonly api: Partial<StandfastApi> } => ({
  api: { rejoinReplica: (() => Promise.resolve(result)) as unknown as StandfastApi['rejoinReplica'] },
});

test('a host that came back says whom it follows, and by what that is proven', () => {
  expect(renderRejoin(clean, plain)).toBe(
    [clean.sentence, '', '  follows:   db2 (lossless)', '  proven:    12 tables at 0-2-140'].join('\n'),
  );
});

test('a diverged host says what was set aside, where, and what a person does next', () => {
  expect(renderRejoin(diverged, plain)).toBe(
    [
      diverged.sentence,
      '',
      '  set aside: 2 transactions up to 0-1-102 (733 bytes) in /var/lib/standfast/quarantine/7-binlog',
      '  next:      read tail.sql there',
    ].join('\n'),
  );
});

test('a script can tell the two by the exit code', async () => {
  expect(await run('rejoin shop db1', answering(clean))).toMatchObject({ exitCode: 0 });
  expect(await run('rejoin shop db1', answering(diverged))).toMatchObject({ exitCode: 10 });
  const json: unknown = JSON.parse((await run('rejoin shop db1 -o json', answering(diverged))).out);
  expect(json).toEqual({ schema: 'standfast/v1', kind: 'Rejoin', ...diverged });
});
