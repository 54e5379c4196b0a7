import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ALL_FAILURES, CLIENT_FAILURES, exitCodeOf } from '../../client/errors.ts';
import { REQUIRED_GRANTS } from '../../domain/accounts.ts';
import { run } from './cli-world.ts';

const CALLS = [
  ...['verify', 'preparePrimary', 'provisionReplica', 'rejoinReplica', 'failover', 'accept'],
  ...['admitReplica', 'removeAcker', 'goAsync', 'syncFiles', 'diffFiles'],
];
const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');

async function codesIn(folder: string): Promise<readonly string[]> {
  const files = (await readdir(path.join(root, folder))).filter((file) => file.endsWith('.ts'));
  const sources = await Promise.all(files.map((file) => read(`${folder}/${file}`)));
  return sources.flatMap((source) => [
    ...[...source.matchAll(/\bcode: '([\w-]+)'/g)].map(([, code]) => code ?? ''),
    ...[...source.matchAll(/\bbad\(\s*[\w.]+,\s*'(\w+)'/g)].map(([, code]) => code ?? ''),
    ...[...source.matchAll(/\breason: ((?:'[a-z-]+'(?: \| )?)+);/g)].flatMap(([, reasons]) =>
      [...(reasons ?? '').matchAll(/[a-z-]+/g)].map(([reason]) => reason),
    ),
  ]);
}

test('every failure type is explained', async () => {
  const page = await read('docs/failures.md');
  for (const type of ALL_FAILURES) expect(page).toContain(`\n| \`${type}\` | `);
});

test('every diagnosis, refusal, finding and obstacle is explained', async () => {
  const page = await read('docs/failures.md');
  const folders = ['domain', 'activities', 'worker', 'client'];
  const codes = (await Promise.all(folders.map(codesIn))).flat();
  expect(codes).toEqual(expect.arrayContaining(['PrimaryHung', 'SecondWriter', 'histories-diverge', 'placement']));
  const missing = codes.filter((code) => !page.includes(`\n| \`${code}\` | `));
  expect(missing).toEqual([]);
});

test('every exit code that a failure can have is explained', async () => {
  const page = await read('docs/cli.md');
  const facts = [{}, { about: 'configuration' }, { undone: ['x'] }, { notUndone: ['x'] }];
  const codes = new Set([0, ...ALL_FAILURES.flatMap((type) => facts.map((each) => exitCodeOf(type, each)))]);
  expect([...codes].sort((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 10]);
  for (const code of codes) expect(page).toContain(`\n| ${String(code)} | `);
});

test('what was undone decides the exit code before the type does', () => {
  expect(exitCodeOf('Unsafe', { changed: false })).toBe(4);
  expect(exitCodeOf('Unsafe', { changed: true, undone: ['x'], notUndone: [] })).toBe(5);
  expect(exitCodeOf('Unreachable', { undone: ['x'], notUndone: ['y'] })).toBe(6);
  expect(exitCodeOf('Unverified', { changed: true })).toBe(6);
  expect(exitCodeOf('Detached', { notUndone: ['x'] })).toBe(CLIENT_FAILURES.Detached.exitCode);
});

test('every invariant and every guard names a test that is there', async () => {
  const page = await read('docs/invariants.md');
  const rows = [...page.matchAll(/^\|.*\| (.+?) \| `(test\/[^`]+)` \|$/gm)];
  expect(rows.length).toBeGreaterThan(50);
  for (const invariant of ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10'])
    expect(page).toContain(`\n| ${invariant} | `);
  for (const [, title = '', file = ''] of rows)
    expect([file, await read(file)]).toEqual([file, expect.stringContaining(title)]);
});

test('the accounts of the README have the privileges that the doctor asks for, and no others', async () => {
  const readme = (await read('README.md')).replaceAll(/\s+/g, ' ');
  const grantees = {
    operation: "'standfast'@'%'",
    heartbeat: "'standfast_beat'@'localhost'",
    replication: "'repl'@'%'",
  };
  const wanted = REQUIRED_GRANTS.map(
    ({ account, on, privileges }) => `GRANT ${privileges.join(', ')} ON ${on} TO ${grantees[account]};`,
  );
  expect([...readme.matchAll(/GRANT .*?;/g)].map(([statement]) => statement).sort()).toEqual(wanted.sort());
});

test('the summaries promise no server that the README says is not supported', async () => {
  expect(await read('README.md')).toContain('MySQL is not supported yet');
  const { description } = JSON.parse(await read('package.json')) as { readonly description: string };
  for (const summary of [description, (await run('--help')).out]) {
    expect(summary).toContain('MariaDB');
    expect(summary).not.toContain('MySQL');
  }
});

test.each([
  ...['status shop', 'init --from db1', 'doctor shop', 'lag shop', 'verify shop', 'audit shop', 'prepare shop db1'],
  ...['provision shop db2', 'rejoin shop db1', 'failover shop --yes', 'accept shop --by Kari --reason x --fence'],
  ...[
    'acker add shop db2',
    'acker remove shop db2 --yes',
    'acker none shop --yes',
    'files sync shop',
    'files diff shop',
  ],
  ...['schedule apply', 'schedule ls', 'schedule pause shop', 'schedule resume shop', 'worker start'],
])('the table of options says what `%s` does with --detach', async (line) => {
  const page = await read('docs/cli.md');
  const [taken = '', refused = '', ignored = ''] =
    /^\| `--detach` .*$/m.exec(page)?.[0].split(/ Refused by | Without effect on /) ?? [];
  const [command = ''] = /^[a-z]+( (add|remove|none|sync|diff|apply|ls|pause|resume|start))?/.exec(line) ?? [];
  let isDetached: boolean | undefined;
  const noting = (_input: unknown, options: { readonly detach?: boolean } = {}) => {
    isDetached = options.detach;
    return Promise.reject(new Error('asked enough'));
  };
  const { err } = await run(`${line} --detach`, { api: Object.fromEntries(CALLS.map((name) => [name, noting])) });
  const does = err.includes('has nothing to detach from') ? refused : isDetached === true ? taken : ignored;
  expect(does).toContain(`\`${command}\``);
});

test('every command is listed', async () => {
  const page = await read('docs/cli.md');
  for (const group of ['', 'acker', 'schedule', 'worker']) {
    const { out } = await run(`${group} --help`);
    const commands = [...out.matchAll(/^ {2}([a-z]+)(?= |$)/gm)].map(([, name]) => name ?? '');
    const own = commands.filter((name) => !['help', 'acker', 'schedule', 'worker'].includes(name));
    expect(own.length).toBeGreaterThan(0);
    for (const name of own) expect(page).toContain(`\`standfast ${`${group} ${name}`.trim()}`);
  }
});
