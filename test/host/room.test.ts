import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

const PRIMARY = '10.9.0.1';
const ACKER = '10.9.0.2';
const order = { owner: 'plane-1', epoch: 1, run: 'run-1' };
const room = { ...order, limit: 12, addresses: ACKER };

let host: Sandbox;
let acker: Sandbox;
/** A process that is one for its name alone. */
const pretend = (program: string, name: string, ...args: readonly string[]) => {
  host.shell(`cp -u $(command -v ${program}) /tmp/${name}`);
  return host.start(`/tmp/${name}`, ...args);
};
const listens = (port: number) =>
  until(
    `something at port ${String(port)}`,
    () => host.run('ss', '-Hltn', `sport = :${String(port)}`).stdout,
    (seen) => seen !== '',
  );
const serverIs = (state: string) =>
  until(
    `a server that is ${state}`,
    () => host.fields('records')['mysqld'],
    (seen) => seen === state,
  );
const startServer = () => {
  pretend('sleep', 'mariadbd', 'infinity');
  return serverIs('running');
};

beforeAll(async () => {
  [host, acker] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
  host.join(acker, { mine: PRIMARY, theirs: ACKER });
  host.start('socat', 'TCP-LISTEN:3306,reuseaddr,fork', 'SYSTEM:echo hello; cat');
  pretend('socat', 'sshd', 'TCP-LISTEN:22,reuseaddr,fork', 'PIPE');
  host.fields('claim', { ...order, account: 'standfast' });
  await Promise.all([listens(3306), listens(22), startServer()]);
});
afterAll(() => Promise.all([host.stop(), acker.stop()]));
beforeEach(() => {
  host.shell('nft flush ruleset; rm -f /run/standfast/room*');
});

/** What somebody meets at the port: a greeting, or a reset at once (1; 124 would be silence). */
const knock = (from: Sandbox, to = PRIMARY) =>
  from.run('timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${to}/3306 && read -r line <&3 && echo "$line"`);
const NOBODY = { exitCode: 1, stdout: '' };
const GREETED = { exitCode: 0, stdout: 'hello\n' };

describe('make-room', () => {
  it('lets the ackers in, and refuses the new connections of everybody else at once', () => {
    expect(host.fields('make-room', room)).toEqual({ limit: '12', refuses: 'yes' });
    expect(knock(acker)).toMatchObject(GREETED);
    expect(knock(host)).toMatchObject(NOBODY);
    expect(knock(host, '127.0.0.1')).toMatchObject(NOBODY);
    expect(host.fields('make-room', { ...room, addresses: '10.9.0.3' })).toMatchObject({ refuses: 'yes' });
    expect(knock(acker)).toMatchObject(NOBODY);
  });

  it('takes no rule away where none is: the kernel would wait until no processor can be at it', () => {
    host.shell(`printf '#!/bin/sh\\ntee -a /tmp/nft-told | /usr/sbin/nft.real "$@"\\n' >/usr/sbin/nft.new; chmod 755 /usr/sbin/nft.new
      mv /usr/sbin/nft /usr/sbin/nft.real; mv /usr/sbin/nft.new /usr/sbin/nft`);
    try {
      host.fields('make-room', room);
      host.fields('refuse-replica', { ...order, address: '10.9.0.3' });
      expect(host.must('cat', '/tmp/nft-told')).not.toContain('delete');
      host.fields('make-room', { ...room, addresses: '10.9.0.3' });
      expect(knock(acker)).toMatchObject(NOBODY);
      // A reload of the firewall has taken both away, or only our memory of them is gone.
      host.shell('nft flush ruleset');
      expect(host.fields('make-room', room)).toMatchObject({ refuses: 'yes' });
      host.shell('rm /run/standfast/*-rule');
      expect(host.fields('make-room', room)).toMatchObject({ refuses: 'yes' });
      expect(knock(host)).toMatchObject(NOBODY);
    } finally {
      host.shell('mv -f /usr/sbin/nft.real /usr/sbin/nft');
    }
  });

  it('leaves every connection that stands', async () => {
    const talk = 'read -r x <&3; echo "$x"; read -r y; echo "$y" >&3; read -rt 2 z <&3; echo "$z"';
    const open = host.start('bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/3306; ${talk}`);
    await once(open.stdout, 'data');
    host.fields('make-room', room);
    const heard = once(open.stdout, 'data');
    open.stdin.write('still here\n');
    expect(String((await heard)[0])).toBe('still here\n');
  });

  it('refuses for ten seconds, and the kernel alone ends it', () => {
    host.fields('make-room', room);
    expect(host.shell('nft list set inet standfast_room shut')).toMatch(/3306 timeout 10s expires/);
    expect(host.fields('records')).toMatchObject({
      ...{ room: '12', refuses_clients: expect.stringMatching(/^([89]|10)$/) },
    });
    host.shell('nft flush set inet standfast_room shut; echo 1 >/run/standfast/room-until');
    expect(knock(host)).toMatchObject(GREETED);
    expect(host.fields('records')).not.toHaveProperty('refuses_clients');
    expect(host.fields('observe')).toMatchObject({ room: '12' });
  });

  it('lets in whoever administrates the host over SSH, as a worker does', async () => {
    const worker = acker.start('bash', '-c', `exec 3<>/dev/tcp/${PRIMARY}/22; echo in; read -r _`);
    await once(worker.stdout, 'data');
    host.fields('make-room', { ...room, addresses: '10.9.0.3' });
    expect(knock(acker)).toMatchObject(GREETED);
    expect(knock(host)).toMatchObject(NOBODY);
    worker.kill('SIGKILL');
  });

  it('keeps the limit that it was told of first, for as long as that server process lives', async () => {
    host.fields('make-room', room);
    expect(host.fields('make-room', { ...room, limit: 24 })).toMatchObject({ limit: '12' });
    host.shell('kill -KILL $(pgrep -x mariadbd)');
    await serverIs('stopped');
    expect(host.fields('records')).not.toHaveProperty('room');
    expect(host.ask('make-room', room)).toMatchObject({ ok: false, type: 'Unsafe' });
    await startServer();
    expect(host.fields('make-room', { ...room, limit: 30 })).toMatchObject({ limit: '30' });
  });

  it('refuses nobody any more without addresses, and still knows the limit', () => {
    host.fields('make-room', room);
    expect(host.fields('make-room', { ...order, limit: 24 })).toEqual({ limit: '12', refuses: 'no' });
    expect(knock(host)).toMatchObject(GREETED);
    expect(host.fields('records')).toMatchObject({ room: '12' });
  });

  it('says so when the kernel cannot refuse, and knows the limit', () => {
    host.shell(
      'mkdir -p /tmp/bare && printf "#!/bin/sh\\nexit 1\\n" >/usr/local/sbin/nft && chmod +x /usr/local/sbin/nft',
    );
    host.shell('mv /usr/sbin/nft /usr/sbin/nft.gone && ln -s /usr/local/sbin/nft /usr/sbin/nft');
    expect(host.fields('make-room', room)).toEqual({ limit: '12', refuses: 'no' });
    expect(host.fields('records')).not.toHaveProperty('refuses_clients');
    expect(host.fields('make-room', { ...order, limit: 15 })).toEqual({ limit: '12', refuses: 'no' });
    expect(host.fields('end-room', order)).toEqual({ room: 'ended' });
    host.shell('mv -f /usr/sbin/nft.gone /usr/sbin/nft; rm /usr/local/sbin/nft');
  });
});

describe('end-room', () => {
  it('lets everybody in, and nothing is to be put back any more', () => {
    host.fields('make-room', room);
    expect(host.fields('end-room', order)).toEqual({ room: 'ended' });
    expect(knock(host)).toMatchObject(GREETED);
    expect(host.fields('records')).not.toHaveProperty('room');
    expect(host.fields('end-room', order)).toEqual({ room: 'ended' });
  });
});
