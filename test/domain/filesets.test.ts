import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileLogLine, filesSentence } from '../../domain/files-report.ts';
import type { FileCounts, Fileset, TargetSync } from '../../domain/filesets.ts';
import { explainFolder, FOLDER_FAULTS, judgeRsync, outcomeOf, planSync } from '../../domain/filesets.ts';
import { namesIn } from '../../domain/rsync-names.ts';

const fileset: Fileset = {
  name: 'uploads',
  path: '/srv/uploads/',
  marker: '.standfast',
  maxDelete: 3,
  bandwidthKiBps: 0,
  compress: false,
};
const none: FileCounts = { created: 0, updated: 0, touched: 0, deleted: 0, bytes: 0 };
const plan = (counts: Partial<FileCounts>, settled = true) =>
  planSync({ ...none, ...counts }, { settled, target: 'db2', fileset });

describe('a run that follows a dry run', () => {
  test('is not made where nothing differs', () => {
    expect(plan({})).toEqual({ kind: 'nothing' });
  });

  test.each([
    [{ created: 2 }, 'none'],
    [{ touched: 1 }, 'none'],
    [{ deleted: 3 }, 'listed'],
  ])('of %o deletes %s', (counts, deletes) => {
    expect(plan(counts)).toEqual({ kind: 'push', deletes });
  });

  test('is refused when it would delete more than the limit', () => {
    expect(plan({ deleted: 4, created: 100 })).toMatchObject({
      kind: 'refused',
      code: 'TooManyDeletions',
      message: expect.stringMatching(/4 entries of uploads would be deleted, and maxDelete is 3. No file was changed/),
    });
  });

  test('deletes nothing after a change of direction, however much is counted', () => {
    expect(plan({ deleted: 500 }, false)).toEqual({ kind: 'push', deletes: 'aside' });
    const count = fc.nat({ max: 1000 });
    const counts = fc.record({ created: count, updated: count, touched: count, deleted: count, bytes: count });
    fc.assert(fc.property(counts, (some) => plan(some, false).kind === 'push'));
  });

  test('never deletes more than the limit, nor anything else than was counted', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.boolean(), (deleted, settled) => {
        const planned = plan({ deleted, created: 1 }, settled);
        if (planned.kind !== 'push') return deleted > fileset.maxDelete;
        return planned.deletes === 'aside' || planned.deletes === (deleted === 0 ? 'none' : 'listed');
      }),
    );
  });
});

test.each([
  ['0', 'well', undefined],
  ['23', 'failed', 'PartialTransfer'],
  ['24', 'again', 'SourceVanished'],
  ['25', 'failed', 'DeletionLimit'],
  ['255', 'cut', 'Disconnected'],
  ['12', 'cut', 'Disconnected'],
  ['30', 'cut', 'TransferBroken'],
  ['lost', 'cut', 'TransferBroken'],
])('rsync that ends with %s is %s', (exit, kind, code) => {
  const end = judgeRsync(exit);
  expect([end.kind, 'code' in end ? end.code : undefined]).toEqual([kind, code]);
});

const faulty = { host: 'db2', cluster: 'shop', fileset: 'uploads', path: '/srv/x/' };

test.each(FOLDER_FAULTS)('a folder is refused for $code with the host, the place and what can be done', ({ code }) => {
  const said = explainFolder({ ...faulty, fault: code, at: '/srv/x' });
  expect(said.code).toBe(code);
  expect(said.message).toMatch(/^db2: .*\/srv\/x\. No file was changed\. What you can do: \S/);
});

describe('what can be done about a folder', () => {
  const path = "/srv/it's mine/";
  const IDENTIFY = String.raw`echo shop uploads >'/srv/it'\''s mine/.standfast-fileset'`;

  test.each([
    ['SourceUnmarked', `${path}.standfast`, String.raw`touch '/srv/it'\''s mine/.standfast'`],
    ['TargetMissing', path, String.raw`mkdir -p '/srv/it'\''s mine/'`],
    ['TargetUnmarked', `${path}.standfast-fileset`, IDENTIFY],
    ['OtherFileset', `${path} (shop invoices)`, `was renamed, on this host: ${IDENTIFY}`],
    ['OtherFileset', `${path} (?)`, 'its identity is no plain file: find out who has put it there, and remove it'],
  ])('%s is a command for a shell whatever its path is', (fault, at, remedy) => {
    const { message } = explainFolder({ ...faulty, path, fault, at });
    expect(message.endsWith(remedy)).toBe(true);
  });
});

test('a fault of a newer helper is passed on', () => {
  const said = explainFolder({ ...faulty, fault: 'SomethingNew', at: '/srv/x' });
  expect(said).toEqual({ code: 'SomethingNew', message: 'db2: SomethingNew (/srv/x). No file was changed' });
});

test('several outcomes are as good as the worst', () => {
  expect(outcomeOf([])).toBe('in-step');
  expect(outcomeOf(['in-step', 'synced'])).toBe('synced');
  expect(outcomeOf(['synced', 'differs', 'in-step'])).toBe('differs');
});

/** As rsync writes a name: whatever is not printable ASCII, and a backslash before what looks like an escape, in octal. */
function written(bytes: Uint8Array): string {
  const octal = (byte: number): string => `\\#${byte.toString(8).padStart(3, '0')}`;
  return Array.from(bytes, (byte, at) => {
    const rest = Buffer.from(bytes.subarray(at, at + 5)).toString('latin1');
    const isEscape = /^\\#[0-7]{3}/.test(rest);
    return byte < 0x20 || byte > 0x7e || isEscape ? octal(byte) : String.fromCharCode(byte);
  }).join('');
}

describe('a name that rsync itemizes', () => {
  test.each([
    ['<f+++++++++ plain name', { path: 'plain name' }],
    ['*deleting   -rf/', { path: '-rf/' }],
    [String.raw`<f+++++++++ new\#012line`, { path: 'new\nline' }],
    [String.raw`<f+++++++++ \#134#012`, { path: String.raw`\#012` }],
    [String.raw`<f+++++++++ bl\#303\#245b\#303\#246r`, { path: 'blåbær' }],
    [String.raw`<f+++++++++ \#377x`, { path: '\uFFFDx', bytes: '/3g=' }],
    [String.raw`<f+++++++++ \#357\#277\#275`, { path: '\uFFFD', bytes: '77+9' }],
  ])('is told as it is: %s', (line, name) => {
    expect(namesIn(line)).toEqual([name]);
  });

  test('can be read back whatever its bytes are', () => {
    const names = fc.uint8Array({ minLength: 1, maxLength: 24 }).filter((bytes) => !bytes.includes(0));
    const special = fc.array(fc.constantFrom(0x5c, 0x23, 0x30, 0x31, 0xc3, 0xa5, 0xf0, 0x9f, 0x0a), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.oneof(
          names,
          special.map((bytes) => Uint8Array.from(bytes)),
        ),
        (bytes) => {
          const [name] = namesIn(`<f+++++++++ ${written(bytes)}`);
          const back = name?.bytes === undefined ? Buffer.from(name?.path ?? '') : Buffer.from(name.bytes, 'base64');
          expect(back).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });
});

describe('a run of files is told', () => {
  const inStep: TargetSync = {
    host: 'db2',
    outcome: 'in-step',
    counts: none,
    changes: [],
    deletions: [],
    setAside: null,
    warnings: [],
  };
  const kept = { folder: '/srv/uploads/.standfast-aside/X', count: 2, names: [], replaced: 1 };
  const synced: TargetSync = { ...inStep, host: 'db3', outcome: 'synced', counts: { ...none, created: 7, bytes: 99 } };

  test('as cron users know it, in one line', () => {
    const done = { fileset: 'uploads', source: 'db1', targets: [inStep, synced] };
    expect(fileLogLine(done, [])).toBe(
      'Sync successful uploads from db1: db2: in step; db3: 7 created, 0 updated, 0 touched, 0 deleted, 99 bytes',
    );
    const failed = [{ host: 'db2', type: 'Unsafe', message: 'no\nmarker' }];
    expect(fileLogLine({ ...done, targets: [] }, failed)).toBe('Sync FAILED uploads from db1: db2: no marker');
  });

  test('with what only one host had', () => {
    const sentence = filesSentence([{ fileset: 'uploads', source: 'db1', targets: [{ ...synced, setAside: kept }] }]);
    expect(sentence).toContain('kept in /srv/uploads/.standfast-aside/X: 2 that only db3 had, 1 other versions');
  });
});
