import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { childrenOf, hasEnded } from '../../lab/children.ts';
import { until } from '../../lab/run.ts';
import { LabWorker } from '../../lab/workers.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster();

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (hasEnded(error)) return false;
    throw error;
  }
};

/** The child of a pair for that role: 0 would stand for this group of processes. */
const childOf = (pair: LabWorker, role: 'runbooks' | 'watch'): number => {
  const pid = childrenOf(pair.pid).get(role);
  if (pid === undefined) throw new Error(`the pair ${String(pair.pid)} has no child for the role ${role}`);
  return pid;
};

test('standfast worker start runs a process for runbooks and one that watches, starts either again, and leaves none behind', async () => {
  const { lab, client, restore } = cluster();
  await restore('cluster');
  const pair = await LabWorker.start(lab, 'pair', { temporal: cluster().temporalInside, role: 'both' });
  try {
    await until('two processes', () => (childrenOf(pair.pid).size === 2 ? true : undefined));
    const [first, watch] = [childOf(pair, 'runbooks'), childOf(pair, 'watch')];
    process.kill(first, 'SIGKILL');
    const again = await until('the one for runbooks again', () => {
      const pid = childrenOf(pair.pid).get('runbooks');
      return pid === first ? undefined : pid;
    });
    expect((await client.status('shop')).verdict.state).toBe('ok');
    expect(childrenOf(pair.pid).get('watch')).toBe(watch);
    await pair.kill();
    await until('the end of both', () => ([again, watch].some(isThere) ? undefined : true));
  } finally {
    if (pair.isRunning()) await pair.kill();
  }
});

test('standfast worker start ends, and says why, when its workers cannot start', async () => {
  const { lab } = cluster();
  const environment = { STANDFAST_CONFIG: '/nowhere/standfast.yaml' };
  const started = LabWorker.start(lab, 'pair', { temporal: cluster().temporalInside, role: 'both', environment });
  await expect(started).rejects.toThrow(/no worker was started: .*\/nowhere\/standfast\.yaml/s);
});

test('standfast worker start ends, and says what makes it, when its namespace is not there', async () => {
  const { lab } = cluster();
  const environment = { TEMPORAL_NAMESPACE: 'nowhere' };
  const started = LabWorker.start(lab, 'pair', { temporal: cluster().temporalInside, role: 'both', environment });
  await expect(started).rejects.toThrow(
    /no worker was started: Temporal has no namespace "nowhere"; .*temporal operator namespace create --namespace nowhere/s,
  );
});

test('standfast worker start goes on when one dies while the inventory cannot be read, once it has worked', async () => {
  const { lab, client, restore } = cluster();
  await restore('cluster');
  const pair = await LabWorker.start(lab, 'pair', { temporal: cluster().temporalInside, role: 'both' });
  try {
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    writeFileSync(lab.etc('standfast.yaml'), 'clusters: [');
    process.kill(childOf(pair, 'runbooks'), 'SIGKILL');
    await pair.says(/role runbooks ended \(code 3\); it is started again/);
    lab.configure({});
    expect((await client.status('shop')).verdict.state).toBe('ok');
    expect([...childrenOf(pair.pid).keys()].sort()).toEqual(['runbooks', 'watch']);
  } finally {
    lab.configure({});
    if (pair.isRunning()) await pair.kill();
  }
});
