import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Sandbox, until } from './sandbox.ts';

const owner = 'plane-1';
const at = (epoch: number) => ({ owner, epoch, run: `run-${String(epoch)}` });
const REPLICA = '10.9.0.2';
const PRIMARY = '10.9.0.1';

let host: Sandbox;
let replica: Sandbox;
beforeAll(async () => {
  [host, replica] = await Promise.all([Sandbox.start('db1'), Sandbox.start('db2')]);
  host.join(replica, { mine: PRIMARY, theirs: REPLICA });
  // Whatever listens at the database's port; the rule is the kernel's.
  host.start('socat', 'TCP-LISTEN:3306,reuseaddr,fork', 'SYSTEM:echo hello; cat');
  await until(
    'the listener is there',
    () => host.run('ss', '-Hltn', 'sport = :3306').stdout,
    (seen) => seen !== '',
  );
});
afterAll(() => Promise.all([host.stop(), replica.stop()]));
beforeEach(() => {
  host.shell('nft flush ruleset; rm -rf /var/lib/standfast/*');
  host.fields('claim', { ...at(1), account: 'standfast' });
});

const refused = (type: string, text: string) => ({ ok: false, type, message: expect.stringContaining(text) });
/** What the replica meets at the database port: a greeting, or a reset at once (1; 124 would be silence). */
const knock = (from: Sandbox = replica, to = PRIMARY) =>
  from.run('timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${to}/3306 && read -r line <&3 && echo "$line"`);
const claimed = (epoch: number) => host.fields('claim', { ...at(epoch), account: 'standfast' });

describe('a refused replica', () => {
  it('is reset at once, and nobody else is', () => {
    expect(knock().stdout).toBe('hello\n');
    expect(host.fields('refuse-replica', { ...at(1), address: REPLICA })).toEqual({ refused: `${REPLICA}@1` });
    expect(knock()).toMatchObject({ exitCode: 1, stdout: '' });
    expect(knock(host).stdout).toBe('hello\n');
    expect(knock(host, '127.0.0.1').stdout).toBe('hello\n');
  });

  it('has its open connections cut', async () => {
    const open = replica.start(
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${PRIMARY}/3306; read -r x <&3; echo in; read -r go; echo x >&3; cat <&3`,
    );
    await once(open.stdout, 'data');
    const ended = once(open, 'exit');
    host.fields('refuse-replica', { ...at(1), address: REPLICA });
    open.stdin.write('go\n');
    await ended;
  });

  it('is let in by whoever names the refusal that stands', () => {
    host.fields('refuse-replica', { ...at(1), address: REPLICA });
    expect(host.fields('admit-replica', { owner, address: REPLICA, refused_at: 1 })).toEqual({ refused: '' });
    expect(knock().stdout).toBe('hello\n');
    expect(host.fields('admit-replica', { owner, address: REPLICA, refused_at: 1 })).toEqual({ refused: '' });
  });

  it('is not let in by an order that is older than the refusal, or of another epoch', () => {
    host.fields('refuse-replica', { ...at(1), address: REPLICA });
    claimed(2);
    host.fields('refuse-replica', { ...at(2), address: REPLICA });
    expect(host.ask('admit-replica', { owner, address: REPLICA, refused_at: 1 })).toEqual(
      refused('Stale', 'since epoch 2, not since epoch 1'),
    );
    expect(host.ask('admit-replica', { ...at(1), address: REPLICA, refused_at: 2 })).toEqual(
      refused('Stale', 'epoch 2'),
    );
    expect(host.ask('refuse-replica', { ...at(1), address: REPLICA })).toEqual(refused('Stale', 'epoch 2'));
    expect(host.ask('admit-replica', { owner: 'plane-2', address: REPLICA, refused_at: 2 })).toMatchObject({
      type: 'Unsafe',
    });
    expect(knock().exitCode).toBe(1);
  });

  it('is seen by those who look, also when the kernel has forgotten it; the order without an address enforces it again', () => {
    expect(host.fields('observe')).toMatchObject({ refused: '', refusal: 'yes' });
    host.fields('refuse-replica', { ...at(1), address: REPLICA });
    expect(host.fields('observe')).toMatchObject({ refused: `${REPLICA}@1`, refusal: 'yes' });
    host.shell('nft flush ruleset');
    expect(host.fields('observe')).toMatchObject({ refused: `${REPLICA}@1`, refusal: 'no' });
    claimed(2);
    expect(host.fields('refuse-replica', at(2))).toEqual({ refused: `${REPLICA}@1` });
    expect(host.fields('observe')).toMatchObject({ refused: `${REPLICA}@1`, refusal: 'yes' });
    expect(knock().exitCode).toBe(1);
  });

  it('stays refused when another one is let in, and when the fence of this host comes and goes', () => {
    host.fields('refuse-replica', { ...at(1), address: '10.9.0.3' });
    host.fields('refuse-replica', { ...at(1), address: REPLICA });
    host.fields('admit-replica', { ...at(1), address: '10.9.0.3', refused_at: 1 });
    expect(host.fields('observe')).toMatchObject({ refused: `${REPLICA}@1` });
    host.ask('fence', at(1));
    host.fields('unfence', at(1));
    expect(host.fields('observe')).toMatchObject({ refused: `${REPLICA}@1`, refusal: 'yes' });
    expect(knock().exitCode).toBe(1);
    expect(knock(host).stdout).toBe('hello\n');
  });

  it('is never forgotten because the list of them cannot be read', () => {
    host.shell('echo nonsense >/var/lib/standfast/refused');
    expect(host.ask('refuse-replica', { ...at(1), address: REPLICA })).toEqual(refused('Unsafe', 'damaged'));
    expect(host.ask('admit-replica', { owner, address: REPLICA, refused_at: 1 })).toEqual(refused('Unsafe', 'damaged'));
    expect(host.ask('observe')).toEqual(refused('Unsafe', 'damaged'));
  });
});
