import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, Pair, UPLOADS } from './files.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start();
});
afterAll(() => pair.stop());

const onTarget = (script: string) => pair.target.shell(`cd ${UPLOADS}; ${script}`);
const onSource = (script: string) => pair.source.shell(`cd ${UPLOADS}; ${script}`);

/** db2 was primary meanwhile: `f` is its own version of a file, and `g` a file that only it has. */
async function parted(): Promise<void> {
  pair.reset();
  await pair.sync();
  pair.promote('db2');
  onTarget('echo mine >f; echo mine >g');
  pair.promote('db1');
  pair.nextRun();
}

describe('what a round of a first run has set aside', () => {
  it('is not replaced by the next round: each has a folder of its own', async () => {
    await parted();
    const stamps: string[] = [];
    for (const changes of ['echo v1 >f', 'echo v2 >f; echo theirs >g', 'rm g']) {
      onSource(changes);
      const { stamp = '', settled } = must(pair.open());
      expect(settled).toBe('no');
      must(pair.send('aside', { stamp }));
      expect(await pair.ended()).toMatchObject({ state: 'done' });
      stamps.push(stamp);
    }
    const kept = (stamp: string) => onTarget(`cd .standfast-aside/${stamp}; grep -r . | sort`);
    expect(stamps.map(kept)).toEqual(['f:mine\ng:mine', 'f:v1', 'g:theirs']);
    expect(onTarget('cat f; ls g 2>&1 | grep -c "No such"')).toBe('v2\n1');
  });

  it('is not shared by the one that is opened within the same second', async () => {
    await parted();
    onTarget(
      'for s in {0..59}; do mkdir -p .standfast-aside/$(date -u -d "+$s seconds" +%Y%m%dT%H%M%SZ); done; chmod 0700 .standfast-aside',
    );
    const { stamp = '' } = must(pair.open());
    expect(stamp).toMatch(/Z-2$/);
    must(pair.send('aside', { stamp }));
    expect(await pair.ended()).toMatchObject({ state: 'done' });
    expect(onTarget(`cat .standfast-aside/${stamp}/f`)).toBe('mine');
  });

  it('is not replaced by a source that names its folder once more', async () => {
    await parted();
    onSource('echo v1 >f');
    const { stamp = '' } = must(pair.open());
    must(pair.send('aside', { stamp }));
    expect(await pair.ended()).toMatchObject({ state: 'done' });
    onSource('echo v2 >f');
    must(pair.send('aside', { stamp }));
    const again = await pair.ended();
    expect(again).toMatchObject({ state: 'failed' });
    expect(again['log']).toContain('a folder in which something was set aside before');
    expect(onTarget(`cat .standfast-aside/${stamp}/f f`)).toBe('mine\nv1');
  });
});
