import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attributesOf, must, Pair, setAttributes, treeOf, UPLOADS } from './files.ts';
import { until } from './sandbox.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start();
});
afterAll(() => pair.stop());
beforeEach(() => {
  pair.reset();
});

const refused = (text: string) => ({ ok: false, type: 'Unsafe', message: expect.stringContaining(text) });
const onTarget = (script: string) => pair.target.shell(`cd ${UPLOADS}; ${script}`);
const onSource = (script: string) => pair.source.shell(`cd ${UPLOADS}; ${script}`);

describe('a fileset', () => {
  it('is sent whole, with odd names, hard links, ACLs, extended attributes, holes and links that lead out', async () => {
    onSource(`
      printf x >$'new\\nline'; printf x >./-rf; printf x >$'\\xff\\xfe'; printf x >'a*[b]?\\#012'; printf x >' blank '
      ln -s /etc/passwd out; ln one other-name; touch sub/three
      truncate -s 3M hole; printf end >>hole; mkfifo pipe; chown 33:33 sub; chmod 2750 sub`);
    setAttributes(pair.source);
    const attributes = attributesOf(pair.source);
    expect(attributes).toMatch(/user.note.*posix_acl_access/);
    expect(await pair.sync()).toMatchObject({ state: 'done', step: 'push' });
    expect(treeOf(pair.target)).toBe(treeOf(pair.source));
    expect(attributesOf(pair.target)).toBe(attributes);
    expect(onTarget('[ one -ef other-name ] && echo one file')).toBe('one file');
    expect(Number(onTarget('stat -c %b hole'))).toBeLessThan(100);
    expect(onTarget('cat .standfast-fileset; ls -d .standfast-aside .standfast-tmp 2>&1 | grep -c "No such"')).toBe(
      'shop uploads\n2',
    );
    expect(pair.target.shell('grep -c standfast-job- /var/lib/standfast-account/.ssh/authorized_keys || true')).toBe(
      '0',
    );
    expect(pair.source.shell('ls /var/lib/standfast/jobs/files.uploads.db2')).not.toContain('key');
  });

  it('loses on the target what was deleted on the source, whatever its name', async () => {
    onSource(
      `printf x >$'gone\\nline'; printf x >'gone*[b]?\\x'; printf x >'gone*'; mkdir -p 'd[1]/e'; printf x >'d[1]/e/f'; printf x >'gone-not'`,
    );
    await pair.sync();
    onSource(`rm -r $'gone\\nline' 'gone*[b]?\\x' 'gone*' 'd[1]'`);
    expect(await pair.sync()).toMatchObject({ state: 'done', deleted: '6' });
    expect(treeOf(pair.target)).toBe(treeOf(pair.source));
    expect(onTarget('ls gone-not')).toBe('gone-not');
  });
});

describe('a fileset', () => {
  it('is not touched where nothing is new', async () => {
    await pair.sync();
    const before = onTarget('stat -c %Z . one sub sub/two');
    must(pair.open({ diff: 'yes' }));
    must(pair.send('look'));
    expect(await pair.ended()).toMatchObject({ state: 'done', created: '0', updated: '0', touched: '0', deleted: '0' });
    expect(onTarget('stat -c %Z . one sub sub/two')).toBe(before);
  });

  it('loses nothing that vanishes from the source after it was counted', async () => {
    await pair.sync();
    onSource('rm sub/two');
    pair.nextRun();
    const { stamp = '' } = must(pair.open());
    must(pair.send('count'));
    expect(await pair.ended()).toMatchObject({ deleted: '1' });
    onSource('rm one');
    must(pair.send('listed', { stamp }));
    expect(await pair.ended()).toMatchObject({ state: 'done', deleted: '1' });
    expect(onTarget('ls one; ls sub')).toBe('one');
  });

  it('is not deleted when its source is unmounted after it was counted', async () => {
    pair.source.shell(`mv /srv/uploads /srv/disk; mkdir ${UPLOADS}; mount --bind /srv/disk ${UPLOADS}`);
    await pair.sync();
    onSource('rm one');
    pair.nextRun();
    const { stamp = '' } = must(pair.open());
    must(pair.send('count'));
    await pair.ended();
    pair.source.shell(`umount -l ${UPLOADS}`);
    expect(pair.send('listed', { stamp })).toEqual(refused('SourceUnmarked'));
    expect(onTarget('ls')).toBe('one\nsub');
    pair.source.shell('rm -rf /srv/disk');
  });

  it('keeps in a dated folder what only the old primary has, and its other versions, in the first run after a change of direction', async () => {
    await pair.sync();
    onTarget(`echo three >sub/three; echo other >one; mkdir gone; printf x >$'gone/\\xff'`);
    pair.promote('db2');
    pair.promote('db1');
    const { stamp = '', settled } = must(pair.open());
    expect(settled).toBe('no');
    must(pair.send('aside', { stamp }));
    expect(await pair.ended()).toMatchObject({ state: 'done', deleted: '3', updated: '1' });
    must(pair.order(pair.target, 'files-close', { well: 'yes' }));
    expect(treeOf(pair.target)).toBe(treeOf(pair.source));
    expect(onTarget(`cd .standfast-aside/${stamp}; cat sub/three one; printf '%q\\n' gone/*; stat -c '%a %U' ..`)).toBe(
      `three\nother\n$'gone/\\377'\n700 root`,
    );
    onSource('rm one');
    expect(await pair.sync()).toMatchObject({ state: 'done', deleted: '1' });
    expect(onTarget('ls .standfast-aside')).toBe(stamp);
  });

  it('is not deleted from by a source that says it is settled when it is not', async () => {
    await pair.sync();
    pair.promote('db2');
    pair.promote('db1');
    onTarget('echo only >here');
    must(pair.open());
    must(pair.send('count'));
    await pair.ended();
    for (const way of ['listed', 'none']) {
      must(pair.send(way));
      const ended = await pair.ended();
      expect(ended['state']).toBe('failed');
      expect(ended['log']).toContain('a first run from this source that does not set aside');
    }
    expect(onTarget('cat here')).toBe('only');
  });
});

describe('a run that is not the one that ended', () => {
  it('has no end of its own before its rsync has begun', async () => {
    await pair.sync();
    pair.nextRun();
    must(pair.open());
    onSource('rm .standfast');
    expect(pair.send('listed')).toMatchObject({ ok: false });
    const { run, step, state } = pair.source.fields('files-status', { job: 'files.uploads.db2' });
    expect({ run, step, state }).not.toMatchObject({ step: 'push' });
    expect(state).not.toBe('done');
  });

  it('is not remembered when somebody was promoted since it was opened', async () => {
    pair.nextRun();
    const { stamp = '' } = must(pair.open());
    must(pair.send('aside', { stamp }));
    expect(await pair.ended()).toMatchObject({ state: 'done' });
    pair.promote('db2');
    pair.promote('db1');
    must(pair.order(pair.target, 'files-close', { well: 'yes' }));
    expect(pair.look(pair.target, 'target')['settled']).toBe('no');
    await pair.sync();
    expect(pair.look(pair.target, 'target')['settled']).toBe('yes');
  });

  it('sends a file again that was written in the second in which it was sent', async () => {
    onSource("touch -d '2026-01-01 00:00:00.1' one");
    await pair.sync();
    onSource("echo eno >one; touch -d '2026-01-01 00:00:00.2' one");
    await pair.sync();
    expect(onTarget('cat one')).toBe('eno');
  });
});

describe('a fileset whose disk hangs', () => {
  it('keeps nobody from claiming the host, recording a primary and moving the VIP role', async () => {
    pair.nextRun();
    pair.target.shell(
      "printf '#!/bin/sh\\necho $$ >/tmp/hangs; exec sleep 60\\n' >/tmp/hung; chmod +x /tmp/hung; mount --bind /tmp/hung /usr/bin/rsync",
    );
    try {
      pair.openInBackground();
      await until(
        'an order hangs',
        () => pair.target.shell('ls /tmp/hangs 2>/dev/null || true'),
        (seen) => seen !== '',
      );
      const since = performance.now();
      pair.promote('db2');
      expect(performance.now() - since).toBeLessThan(5_000);
      expect(pair.target.shell('cat /run/standfast/holder.files.uploads')).toContain('files-open');
    } finally {
      pair.target.shell('kill $(cat /tmp/hangs); umount /usr/bin/rsync; rm /tmp/hung /tmp/hangs');
      pair.promote('db1');
    }
  });
});

describe('an rsync that follows links that others lay in its way', () => {
  it('is used on neither side', () => {
    for (const host of [pair.source, pair.target])
      host.shell(
        "printf '#!/bin/sh\\necho rsync  version 3.2.7  protocol version 31\\n' >/tmp/old; chmod +x /tmp/old; mount --bind /tmp/old /usr/bin/rsync",
      );
    try {
      expect(pair.look(pair.source, 'source')).toMatchObject({ fault: 'RsyncOld' });
      expect(pair.look(pair.target, 'target')['detail']).toContain('3.2.7');
      expect(pair.open()).toEqual(refused('3.2.7'));
    } finally {
      for (const host of [pair.source, pair.target]) host.shell('umount /usr/bin/rsync; rm /tmp/old');
    }
  });
});

/** A file that takes its time, until some of it has arrived. */
async function sendSlowly(size: string, bandwidth: number): Promise<string> {
  onSource(`head -c ${size} /dev/urandom >big`);
  const { stamp = '' } = must(pair.open());
  must(pair.send('aside', { stamp, bandwidth }));
  await until(
    'bytes on the way',
    () => onTarget('find .standfast-tmp -type f -size +100k'),
    (seen) => seen !== '',
  );
  return stamp;
}

describe('rsync that does not do all of it', () => {
  it('ends with 24 when files vanish while it sends, and converges', async () => {
    onSource('echo x >zz');
    await sendSlowly('2M', 1000);
    onSource('rm zz');
    const ended = await pair.ended();
    expect(ended).toMatchObject({ state: 'failed', exit: '24' });
    expect(ended['log']).toContain('vanished');
    await pair.sync();
    expect(treeOf(pair.target)).toBe(treeOf(pair.source));
  });

  it('ends with 23 when the target cannot keep what a file has, and names it', async () => {
    pair.target.shell(`mount -t ramfs disk ${UPLOADS}`);
    setAttributes(pair.source);
    const ended = await pair.sync();
    expect(ended).toMatchObject({ state: 'failed', exit: '23' });
    expect(ended['log']).toMatch(/one.*failed: Operation not supported/);
    pair.target.shell(`umount -l ${UPLOADS}`);
  });

  it('ends with 255, or 12, when the target is another host than the pinned one', async () => {
    must(pair.open());
    pair.target.shell(`rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -A >/dev/null; kill $(pidof sshd)
      listens() { [[ -n $(ss -Hltn 'sport = :22') ]]; }
      while listens; do sleep 0.01; done
      /usr/sbin/sshd; until listens; do sleep 0.01; done`);
    must(pair.send('count'));
    const ended = await pair.ended();
    expect(ended).toMatchObject({ state: 'failed', exit: expect.stringMatching(/^(12|255)$/) });
    expect(ended['log']).toContain('Host key verification failed');
    pair.pin();
  });
});

/** Without one that is dead and not waited for yet. */
const receivers = () => pair.target.run('pgrep', '-x', '-r', 'R,S,D,T', 'rsync').stdout;
/** A promotion does not wait for the last system call of what it has killed. */
const noReceiver = () => until('no receiver', receivers, (seen) => seen === '');

describe('a promotion', () => {
  it('ends the receiver on the new primary at once, and none comes after it', async () => {
    const stamp = await sendSlowly('40M', 500);
    pair.promote('db2', [pair.target]);
    await noReceiver();
    expect(await pair.ended()).toMatchObject({ state: 'failed' });
    expect(onTarget('ls')).not.toContain('big');
    must(pair.send('aside', { stamp }));
    const again = await pair.ended();
    expect(again).toMatchObject({ state: 'failed' });
    expect(again['log']).toContain('WrongDirection on db2');
    expect(pair.open()).toEqual(refused('WrongDirection on db2: db2'));
    pair.promote('db1');
    await pair.sync();
    expect(treeOf(pair.target)).toBe(treeOf(pair.source));
  });

  it('ends also what hangs and would go on once its leader alone was killed, and no group that has its number since', async () => {
    await sendSlowly('40M', 500);
    const noted = '/var/lib/standfast/jobs/files.uploads.db2/incoming';
    const leader = pair.target.shell(`cut -d' ' -f1 ${noted}`);
    pair.target.must('pkill', '-STOP', '-P', leader);
    pair.target.must('kill', '-KILL', leader);
    expect(receivers()).not.toBe('');
    pair.promote('db2', [pair.target]);
    await noReceiver();
    expect(onTarget('ls')).not.toContain('big');
    // A daemon of somebody else, whose leader has ended as well.
    const other = pair.target.shell(`setsid sh -c 'sleep 600 >/dev/null 2>&1 & echo $$'`);
    pair.target.shell(`sed -i '1s/.*/${other} 1 files-receive files.uploads.db2/' ${noted}`);
    pair.promote('db2', [pair.target]);
    expect(pair.target.run('pgrep', '-g', other).stdout).not.toBe('');
    pair.target.shell(`kill -KILL -- -${other}`);
    pair.promote('db1');
  });

  it('ends what the old primary still sends, when it hears of it', async () => {
    onSource('head -c 40M /dev/urandom >big');
    const { stamp = '' } = must(pair.open());
    must(pair.send('aside', { stamp, bandwidth: 500 }));
    await until('a receiver', receivers, (seen) => seen !== '');
    pair.promote('db2', [pair.source]);
    expect(await pair.ended()).toMatchObject({ state: 'failed', exit: 'lost' });
    expect(pair.send('count')).toEqual(refused('WrongDirection on db1: db2'));
  });
});

describe('a fileset is refused, and nothing is changed', () => {
  const MOUNT = `mkdir -p sub; mount -t tmpfs x sub`;
  it.each([
    ['its folder is missing on the source', 'source', `rm -rf ${UPLOADS}`, 'SourceMissing'],
    ['its source has no marker', 'source', 'rm .standfast', 'SourceUnmarked'],
    ['its source is empty but for the marker', 'source', 'rm -r one sub', 'SourceEmpty'],
    ['its source is another fileset', 'source', 'echo shop invoices >.standfast-fileset', 'OtherFileset'],
    ['its source holds a database', 'source', 'touch sub/ibdata1', 'DatabaseDirectory'],
    ['something is mounted inside its source', 'source', MOUNT, 'NestedMount'],
    ['its folder is missing on the target', 'target', `rm -rf ${UPLOADS}`, 'TargetMissing'],
    ['its target has files of somebody', 'target', 'echo mine >mine', 'TargetUnmarked'],
    ['its target is another fileset', 'target', 'echo shop invoices >.standfast-fileset', 'OtherFileset'],
    ['its target holds a database', 'target', 'touch aria_log_control', 'DatabaseDirectory'],
    ['something is mounted inside its target', 'target', MOUNT, 'NestedMount'],
  ] as const)('when %s', (_, role, breaks, code) => {
    const host = pair[role];
    host.shell(`cd ${UPLOADS}; ${breaks}`);
    const tree = () => host.shell(`ls -lR --time-style=full-iso /srv`);
    const before = tree();
    expect(pair.look(host, role)['fault']).toBe(code);
    const answer = role === 'source' ? (must(pair.order(host, 'job-key')), pair.send('count')) : pair.open();
    expect(answer).toEqual(refused(`${code} on ${host.name}`));
    expect(tree()).toBe(before);
    host.shell(`umount ${UPLOADS}sub 2>/dev/null || true`);
  });

  it('when its target was unmounted', async () => {
    pair.target.shell(`mount -t tmpfs disk ${UPLOADS}`);
    await pair.sync();
    pair.target.shell(`umount ${UPLOADS}`);
    expect(pair.open()).toEqual(refused('TargetUnmarked on db2'));
    expect(onTarget('ls -A')).toBe('');
  });

  it('when its folder is, contains or is inside the data directory', () => {
    for (const path of ['/var/lib/mysql/', '/var/lib/', '/var/lib/mysql/shop/']) {
      pair.target.shell('mkdir -p /var/lib/mysql/shop');
      expect(pair.open({ path })).toEqual(refused('DatabaseDirectory on db2'));
    }
  });

  it('when an older attempt orders it', () => {
    const job = 'files.uploads.db2';
    const old = pair.target.fields('job-claim', { owner: 'plane-1', job })['attempt'] ?? '';
    pair.target.fields('job-claim', { owner: 'plane-1', job });
    const answer = pair.target.ask('files-close', { owner: 'plane-1', job, attempt: old, well: 'yes' });
    expect(answer).toMatchObject({ ok: false, type: 'Stale' });
  });
});

describe('the key of a fileset', () => {
  const CONFIG = '/var/lib/standfast/jobs/files.uploads.db2/ssh_config';

  it('gives nothing but receiving that fileset, within its limits', async () => {
    await pair.sync();
    must(pair.open());
    must(pair.send('count'));
    await pair.ended();
    const before = treeOf(pair.target);
    for (const command of [
      'id',
      'rsync --server --sender -vlogDtpre.iLsfxCIvu . ./',
      'rsync --server -lHogDtpAXrSe.iLsfxCIvu --numeric-ids . /etc/',
      'rsync --server -lKHogDtpAXrSe.iLsfxCIvu --numeric-ids . ./',
      'rsync --server -slHogDtpAXrSe.iLsfxCIvu --numeric-ids . ./',
      'rsync --server -blHogDtpAXrSe.iLsfxCIvu --backup-dir /etc . ./',
      'rsync --server -lHogDtpAXrSe.iLsfxCIvu --delete --numeric-ids . ./',
      'rsync --server -lHogDtpAXrSe.iLsfxCIvu --max-delete=11 --delete . ./',
      'rsync --server -lHogDtpAXrSe.iLsfxCIvu $(touch /tmp/hidden) . ./',
    ]) {
      const { exitCode, stdout, stderr } = pair.source.run('ssh', '-F', CONFIG, 'target', command);
      expect({ command, exitCode, stdout }).toEqual({ command, exitCode: 3, stdout: '' });
      expect(stderr).toMatch(/fail\t(Unsafe|BadInput)\t.*does not take/);
    }
    expect(treeOf(pair.target)).toBe(before);
    expect(pair.target.shell('ls /tmp')).toBe('');
  });

  it('changes nothing when a comparison was asked for', async () => {
    await pair.sync();
    onSource('echo more >more');
    must(pair.open({ diff: 'yes' }));
    must(pair.send('none'));
    const ended = await pair.ended();
    expect(ended['state']).toBe('failed');
    expect(ended['log']).toContain('after a comparison was asked for');
    expect(onTarget('ls')).toBe('one\nsub');
  });
});
