import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

// What systemd is asked and told, and what its answers are taken for: it cannot run in here, so a program that keeps a unit's state stands in for it.

const owner = 'plane-1';
const order = { owner, epoch: 1, run: 'run-1' };
const DROPIN = '/etc/systemd/system/mariadb.service.d/standfast.conf';
const SYSTEMCTL = `#!/bin/bash
echo "$*" >>/run/unit/told
cat /proc/$PPID/comm >>/run/unit/asked-by
case "$*" in
  *daemon-reload*) [ -e /run/unit/deaf ] || cp ${DROPIN} /run/unit/loaded ;;
  *'-p Id '*) echo mariadb.service ;;
  *'-p DropInPaths '*) [ ! -e /run/unit/loaded ] || echo ${DROPIN} ;;
  *'-p LoadState '*) echo loaded ;;
  *'-p ActiveState '*) cat /run/unit/state ;;
  *stop*) [ -e /run/unit/deaf ] || echo inactive >/run/unit/state ;;
esac
`;

let host: Sandbox;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.fields('claim', { ...order, account: 'standfast' });
  host.shell(`mkdir -p /run/systemd/system; cat >/usr/sbin/systemctl <<'END'\n${SYSTEMCTL}END
    chmod 755 /usr/sbin/systemctl`);
});
afterAll(() => host.stop());
beforeEach(() => {
  host.shell(`rm -rf /run/unit ${DROPIN}; mkdir /run/unit; echo active >/run/unit/state`);
});

const told = (): readonly string[] => host.must('cat', '/run/unit/told').split('\n');
const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });

it('is kept from starting a fenced server, by a condition that lasts longer than a boot, before anything is killed', () => {
  host.shell('echo activating >/run/unit/state'); // it waits before it starts the server again
  expect(host.fields('fence', order)).toMatchObject({ supervisor: 'gone', process: 'gone', port: 'closed' });
  expect(host.must('cat', DROPIN)).toContain('ConditionPathExists=!/var/lib/standfast/fenced');
  const [reload, kill, stop] = ['daemon-reload', 'kill -s KILL', 'stop'].map((what) =>
    told().findIndex((line) => line.includes(what)),
  );
  expect(reload).toBeGreaterThan(-1);
  expect(kill).toBeGreaterThan(reload ?? 0);
  expect(stop).toBeGreaterThan(kill ?? 0);
});

it('is not told again what it knows', () => {
  host.fields('fence', order);
  host.shell(': >/run/unit/told; echo active >/run/unit/state');
  host.fields('fence', order);
  expect(told().join()).not.toContain('daemon-reload');
});

it('is not taken for one that heeds it when it does not say so: the server is not killed, and the fence not proven', () => {
  host.shell('touch /run/unit/deaf');
  expect(host.ask('fence', order)).toEqual(refused('Unverified', 'does not heed the condition'));
  expect(told().join()).not.toContain('KILL');
});

it('leaves a fence unproven while it is about to start the server again', () => {
  host.fields('fence', order);
  host.shell('touch /run/unit/deaf; echo activating >/run/unit/state');
  expect(host.ask('fence', order)).toEqual(refused('Unverified', 'supervisor=present'));
});

it('is never asked or told anything without a deadline', () => {
  host.fields('fence', order);
  host.fields('observe');
  host.fields('unfence', order);
  expect(told().join()).toContain('unmask');
  expect(new Set(host.must('cat', '/run/unit/asked-by').split('\n'))).toEqual(new Set(['timeout']));
});
