import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAnswer, Sandbox } from './sandbox.ts';

const HELPER = '/usr/local/sbin/standfast-host';
const at = (epoch: number) => ({ owner: 'plane-1', epoch, run: 'run' });
let host: Sandbox;

beforeAll(async () => {
  host = await Sandbox.start('db1');
});
afterAll(() => host.stop());
beforeEach(() => {
  host.shell('rm -rf /var/lib/standfast/*');
});

const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });
const records = () => host.fields('records');
const boot = () => records()['boot'] ?? '';
const claim = (epoch: number) => host.fields('claim', { ...at(epoch), account: 'standfast' });
const confirm = (epoch: number, args: Readonly<Record<string, string | number>> = {}) =>
  host.ask('confirm', { ...at(epoch), name: 'db1', boot: boot(), ...args });
const primaryIs = (name: string, epoch: number) => ({ primary: name, primary_epoch: epoch, primary_run: 'run' });
/** What the record says after a reboot: the boot in it is another one. */
const reboot = () => host.shell("sed -i 's/^[^ ]*/boot-of-before/' /var/lib/standfast/standing");

describe('the standing of a member', () => {
  it('is blank until an operation has confirmed it, and sure from then on', () => {
    expect(records()).toMatchObject({ standing: 'blank' });
    claim(1);
    expect(records()).toMatchObject({ standing: 'blank', epoch: '1' });
    expect(confirm(1)).toMatchObject({ ok: true });
    expect(records()).toMatchObject({ standing: 'sure', primary: '' });
  });

  it('is in doubt after a boot when it may have been primary, until it is confirmed with what is newest', () => {
    claim(3);
    confirm(3);
    host.fields('record-primary', { ...at(3), host: 'db1' });
    reboot();
    expect(records()).toMatchObject({ standing: 'booted', primary: 'db1' });
    claim(8);
    expect(records()).toMatchObject({ standing: 'booted' });
    confirm(8, { ...primaryIs('db2', 7), mode: 'async', sync_epoch: 7, ackers: '', k: 0, lineage: '3:1:;7:2:0-1-9' });
    expect(records()).toMatchObject({
      ...{ standing: 'sure', primary: 'db2', primary_epoch: '7', primary_run: 'run', lineage: '3:1:;7:2:0-1-9' },
      ...{ mode: 'async', sync_epoch: '7', ackers: '' },
    });
    reboot();
    expect(records()).toMatchObject({ standing: 'sure' });
  });

  it('stays in doubt when another was recorded after it in the same boot: that one may not have been the last', () => {
    claim(3);
    confirm(3, primaryIs('db1', 2));
    host.fields('record-primary', { ...at(3), host: 'db2' });
    reboot();
    expect(records()).toMatchObject({ standing: 'booted', primary: 'db2' });
  });

  it('is in no doubt after a boot when it never was primary: only a primary is switched off', () => {
    claim(3);
    confirm(3, primaryIs('db2', 2));
    reboot();
    expect(records()).toMatchObject({ standing: 'sure' });
  });

  it('is in doubt when an earlier version wrote its records', () => {
    claim(3);
    host.shell('echo "3 run db2" >/var/lib/standfast/primary');
    expect(records()).toMatchObject({ standing: 'booted', primary: 'db2', primary_epoch: '3', lineage: '' });
  });

  it('is not confirmed for another boot than the one that was asked, nor over a newer record, nor at an older epoch', () => {
    claim(5);
    confirm(5);
    host.fields('record-primary', { ...at(5), host: 'db1', lineage: '5:1:' });
    host.fields('record-sync', { ...at(5), mode: 'lossless', ackers: 'db2', k: 1 });
    expect(confirm(5, { boot: 'another' })).toEqual(refused('Stale', 'has booted again'));
    confirm(5, { ...primaryIs('db2', 4), mode: 'async', sync_epoch: 4, ackers: '', k: 0 });
    expect(records()).toMatchObject({ primary: 'db1', primary_epoch: '5', mode: 'lossless', lineage: '5:1:' });
    expect(confirm(4, primaryIs('db2', 9))).toEqual(refused('Stale', 'not carried out'));
  });

  it('can be vouched for by a person alone, and only where there is something to vouch for', () => {
    const byAccount = () => host.run('su', 'standfast', '-s', '/bin/bash', '-c', `sudo -n ${HELPER} vouch`);
    expect(host.ask('vouch')).toEqual(refused('Unsafe', 'nothing to vouch for'));
    claim(3);
    confirm(3, primaryIs('db1', 2));
    reboot();
    expect(parseAnswer(byAccount().stdout.trimEnd())).toEqual(refused('Unsafe', 'for a person'));
    expect(records()).toMatchObject({ standing: 'booted' });
    expect(host.fields('vouch')).toMatchObject({ primary: 'db1', primary_epoch: '2' });
    expect(records()).toMatchObject({ standing: 'sure' });
    reboot();
    expect(records()).toMatchObject({ standing: 'booted' });
  });

  it('is blank when a damaged record is removed together with it, until it is confirmed with what the others know', () => {
    claim(3);
    confirm(3, primaryIs('db2', 2));
    host.shell(': >/var/lib/standfast/primary');
    expect(host.ask('records')).toEqual(refused('Unsafe', 'damaged'));
    host.shell('rm /var/lib/standfast/primary /var/lib/standfast/standing');
    expect(records()).toMatchObject({ standing: 'blank', primary: '', epoch: '3' });
    claim(9);
    confirm(9, primaryIs('db2', 8));
    expect(records()).toMatchObject({ standing: 'sure', primary: 'db2', primary_epoch: '8' });
  });

  it('is not guessed from a damaged record', () => {
    host.shell(': >/var/lib/standfast/standing');
    expect(host.ask('records')).toEqual(refused('Unsafe', 'damaged'));
  });
});

describe('the data of a member that are not needed any more', () => {
  const left = () => host.shell('ls -A /var/lib/mysql').trim();
  const discard = (name = 'db1') => host.ask('discard-data', { host: name });

  beforeEach(() => {
    host.shell(`mkdir -p /var/lib/mysql/.standfast/relay-2 /var/lib/mysql/lost+found /var/lib/mysql/shop
      >/var/lib/mysql/ibdata1; chown -R 999 /var/lib/mysql`);
    claim(3);
    confirm(3, primaryIs('db2', 3));
  });

  it('go, and then the fence, in that order, and again where it was ended in the middle', () => {
    host.fields('fence', at(3));
    // As on a disk that fails.
    host.shell('printf "#!/bin/sh\\nexit 1\\n" >/usr/sbin/rm && chmod +x /usr/sbin/rm');
    expect(discard()).toEqual(refused('Unverified', 'so the fence stands as it did'));
    host.shell('/usr/bin/rm /usr/sbin/rm');
    expect(host.fields('observe')).toMatchObject({ fenced: 'yes' });
    expect(discard()).toEqual({ ok: true, fields: { fenced: 'no' } });
    expect(left()).toBe('lost+found');
    expect(host.fields('observe')).toMatchObject({ fenced: 'no', port: 'refused' });
    expect(discard()).toEqual({ ok: true, fields: { fenced: 'no' } });
  });

  it('stay where somebody relies on them, fenced or not, on another host than was meant, and for the account', () => {
    const all = left();
    claim(4);
    confirm(4, primaryIs('db1', 4));
    expect(discard()).toEqual(refused('Unsafe', 'nothing was removed on db1: it is recorded as the primary'));
    host.fields('fence', at(4));
    expect(discard()).toEqual(refused('Unsafe', 'standfast rejoin CLUSTER db1'));
    claim(5);
    confirm(5, { ...primaryIs('db2', 5), mode: 'lossless', ackers: 'db1', k: 1, sync_epoch: 5 });
    expect(discard()).toEqual(refused('Unsafe', 'it is recorded as an acker'));
    claim(6);
    confirm(6, { ...primaryIs('db2', 6), mode: 'async', ackers: '', k: 0, sync_epoch: 6 });
    expect(discard('db2')).toEqual(refused('BadInput', 'this is db1, not db2'));
    host.shell('mv /var/lib/standfast/standing /run/standing');
    expect(discard()).toEqual(refused('Unsafe', 'do not say which member it is'));
    host.shell('mv /run/standing /var/lib/standfast/standing; mkdir /var/lib/mysql/.standfast/relay-7');
    claim(7);
    expect(discard()).toEqual(refused('Unsafe', 'standfast prepare CLUSTER PRIMARY ends that'));
    host.shell('rmdir /var/lib/mysql/.standfast/relay-7');
    const byAccount = host.run('su', 'standfast', '-s', '/bin/bash', '-c', `sudo -n ${HELPER} discard-data host=db1`);
    expect(parseAnswer(byAccount.stdout.trimEnd())).toEqual(refused('Unsafe', 'for a person'));
    expect(left()).toBe(all);
  });

  it('stay beside a server, a copy or a mount, and are none where the directory is not one', () => {
    host.shell('install /bin/sleep /run/mariadbd; setsid /run/mariadbd 600 </dev/null >/dev/null 2>&1 &');
    host.shell('until pgrep -x mariadbd >/dev/null; do sleep 0.01; done');
    expect(discard()).toEqual(refused('Unsafe', 'runs on db1; nothing was changed; stop it first'));
    host.shell('pkill -KILL -x mariadbd; rm /run/mariadbd; chown root /var/lib/mysql');
    expect(discard()).toEqual(refused('Unsafe', 'belongs to root, so it is no data directory'));
    host.shell('chown 999 /var/lib/mysql; mkdir -p /var/lib/standfast/jobs/j');
    host.shell('echo "done installed 0" >/var/lib/standfast/jobs/j/state');
    expect(discard()).toEqual(refused('Unsafe', 'the copy job j on db1 is done at installed'));
    host.shell('rm -r /var/lib/standfast/jobs; mkdir /var/lib/mysql/kept; mount -t tmpfs none /var/lib/mysql/kept');
    expect(discard()).toEqual(refused('Unsafe', 'something is mounted inside /var/lib/mysql'));
    host.shell('umount /var/lib/mysql/kept');
    expect(left()).toContain('ibdata1');
    expect(discard()).toEqual({ ok: true, fields: { fenced: 'no' } });
  });
});
