import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditFinding } from '../../client/index.ts';
import { Ledger } from '../../lab/ledger/ledger.ts';
import { caughtUp } from './cluster.ts';
import { TutorialLab } from './tutorial-lab.ts';
import type { Block } from './tutorial-page.ts';
import { readPage } from './tutorial-page.ts';

const [classic, ...steps] = readPage('tutorial.md').filter(({ blocks }) => blocks.length > 0);
let tutorial: TutorialLab;
let ledger: Ledger;
let isFollowed = false;

beforeAll(async () => {
  if (classic === undefined) throw new Error('the page has no set-up to begin with');
  tutorial = await TutorialLab.up();
  await tutorial.layClassic(classic);
  ledger = Ledger.start(tutorial.lab);
});

afterAll(async () => {
  await ledger.stop();
  await tutorial.lab.down();
});

/** db2 wins when it holds everything; with a write under way db3 may hold one more. The writers are there again for the outage. */
async function aroundTheKill({ text }: Block): Promise<void> {
  if (text.includes('killall -9 mariadbd')) {
    await ledger.stop();
    await caughtUp(tutorial.lab, 'db2', 'db1');
  } else if (text.includes('failover shop --reason')) ledger.begin();
}

const typed = (command: string) => tutorial.type(`standfast ${command}`);
const on = (host: string, script: string) => tutorial.on(host, script);

async function records(): Promise<readonly string[]> {
  const files = 'cat /var/lib/standfast/{epoch,primary,sync} /etc/keepalived/keepalived.conf; ls /srv/uploads';
  return Promise.all(['db1', 'db2', 'db3'].map(async (host) => (await on(host, files)).stdout));
}

/** What a lab cannot have, and what the page leaves to its reader. */
const LEFT = ['NoBackup', 'ReplicationInClear', 'SameMachine', 'ServerWithoutTls', 'SshPasswords'];

describe('the tutorial', () => {
  test('does what it says, from its first line to its last, under writes', { timeout: 600_000 }, async () => {
    expect(steps.map(({ title }) => title.split('.')[0])).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    for (const step of steps) {
      await tutorial.follow(step, aroundTheKill);
      await ledger.acknowledged(1, { since: Ledger.now() });
      if (!step.title.startsWith('3.')) continue;
      // A primary that was refused keeps the VIP that it held.
      const { stdout } = await on(
        'db1',
        'cat /etc/keepalived/keepalived.conf; ls /etc/mysql/mariadb.conf.d; ip -br addr',
      );
      expect(stdout).toContain('chk_mysql');
      expect(stdout).not.toContain('zz-standfast.cnf');
      expect(stdout).toContain(tutorial.lab.vip);
    }
    await ledger.acknowledged(20, { since: Ledger.now() });
    await ledger.stop();
    const verdict = await ledger.verdict({ primary: 'db2' });
    expect(verdict).toMatchObject({ lost: [], duplicated: [], twoWriters: [] });
    expect(verdict.acknowledged).toBeGreaterThan(1000);
    isFollowed = true;
  });

  beforeEach(({ task }) => {
    if (!task.name.startsWith('does what it says')) expect(isFollowed, 'the page was followed to its end').toBe(true);
  });

  test('leaves every upload on every host, and sets aside what only the old primary had', async () => {
    const wanted = [...Array.from({ length: 20 }, (_, at) => String(at + 1)), 'new'].toSorted();
    for (const host of ['db1', 'db2', 'db3'])
      expect([host, (await on(host, 'ls /srv/uploads/2026')).stdout.trim().split('\n').toSorted()]).toEqual([
        host,
        wanted,
      ]);
    const aside = await on('db1', 'grep -rlx late /srv/uploads/.standfast-aside');
    expect(aside.stdout).toMatch(/\/2026\/late\n$/);
  });

  test('closes the holes that it says it closes', async () => {
    const audit = await typed('audit shop -o json');
    const { findings } = JSON.parse(audit.stdout) as { readonly findings: readonly AuditFinding[] };
    expect([...new Set(findings.map(({ code }) => code))].toSorted()).toEqual(LEFT);
  });

  test.each([
    ['status shopp', 2, 'has no cluster "shopp"'],
    ['doctor shopp', 2, 'has no cluster "shopp"'],
    ['audit shopp', 2, 'has no cluster "shopp"'],
    ['prepare shopp db2', 2, 'has no cluster "shopp"'],
    ['prepare shop db9', 2, 'db9 is not a database host of shop'],
    ['provision shop db9', 2, 'db9 is not a database host of shop'],
    ['rejoin shop db9', 2, 'db9 is not a database host of shop'],
    ['files sync shopp', 2, 'has no cluster "shopp"'],
    ['files sync shop uplods', 2, 'uplods is no fileset of shop'],
    ['schedule apply shopp', 2, 'has no cluster "shopp"'],
  ])('of a typing error in `%s` says so in a sentence, and changes nothing', async (command, exitCode, sentence) => {
    const before = await records();
    const ran = await typed(command);
    expect(ran).toMatchObject({ exitCode, stdout: '' });
    expect(ran.stderr.match(/^error /gm)).toHaveLength(1);
    expect(ran.stderr).toContain(sentence);
    expect(await records()).toEqual(before);
  });
});
