import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterPorts } from '../../adapters/ports.ts';
import { InventorySource } from '../../worker/inventory-source.ts';
import type { ClosablePorts } from '../../worker/ports.ts';
import type { ObserversPort, ProofPort, RunsPort } from '../../adapters/ports.ts';
import { createPorts } from '../../worker/ports.ts';
import { EXAMPLE } from '../inventory/example.ts';

let folder: string;
let ports: ClosablePorts;
let cluster: ClusterPorts;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'standfast-ports-'));
  const inventory = path.join(folder, 'standfast.yaml');
  writeFileSync(inventory, EXAMPLE.replaceAll('/etc/standfast', folder));
  writeFileSync(path.join(folder, 'sql'), 'hunter2', { mode: 0o644 });
  ports = createPorts(new InventorySource(inventory), {
    owner: 'control-1',
    runs: {} as RunsPort,
    proofs: {} as ProofPort,
    observers: {} as ObserversPort,
  });
  cluster = await ports.cluster('shop');
});
afterAll(() => {
  ports.close();
  rmSync(folder, { recursive: true });
});

const refusal = (place: string, why: string) => ({
  type: 'BadInput',
  silence: null,
  facts: { about: 'configuration' },
  message: `${place} of the inventory cannot be used on the worker ${hostname()}: ${why}. Then start again`,
});

/** Raw, they would be tried again for as long as the step may take. */
describe('a secret that cannot be read is a fault of the inventory, with its place and its remedy', () => {
  test.each([
    ['a session', () => cluster.session('db1')],
    ['a connection through the VIP', () => cluster.vipSession()],
  ])('to %s', async (_, open) => {
    const file = path.join(folder, 'sql');
    const why = `the secret file:${file} cannot be read: its group or others have access to it (mode 0644); run: chmod 600 ${file}`;
    await expect(open()).rejects.toMatchObject(refusal('access.sql.password', why));
  });

  test('to the replication account', async () => {
    const why = `the secret file:${folder}/repl cannot be read: ENOENT; check the path and who may read it`;
    await expect(cluster.replicationAccount()).rejects.toMatchObject(refusal('replication.user.password', why));
  });

  test('to the host helper', async () => {
    const why = `the secret file:${folder}/ssh_key cannot be read: ENOENT; check the path and who may read it`;
    await expect(cluster.helper('db1').request('hello')).rejects.toMatchObject(refusal('access.ssh.key', why));
  });
});

describe('pinned host keys that cannot be read are a fault of the inventory as well', () => {
  const file = (): string => path.join(folder, 'known_hosts');
  const scan = (): string =>
    `pin the hosts' keys in it: ssh-keyscan -t ed25519 ADDRESS >> ${file()}, and compare with what each host shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)`;

  beforeAll(() => {
    writeFileSync(path.join(folder, 'ssh_key'), 'a key', { mode: 0o600 });
  });
  afterEach(() => {
    rmSync(file(), { force: true, recursive: true });
  });

  test.each([
    ['to an order', () => cluster.helper('db1').request('hello')],
    ['to a copy, and to an audit', () => cluster.pinnedKeys('db1')],
  ])('%s', async (_, ask) => {
    await expect(ask()).rejects.toMatchObject(
      refusal('access.ssh.knownHosts', `${file()} cannot be read (ENOENT); ${scan()}`),
    );
    mkdirSync(file());
    await expect(ask()).rejects.toMatchObject(
      refusal('access.ssh.knownHosts', `${file()} cannot be read (EISDIR); let the user of this process read it`),
    );
    rmSync(file(), { recursive: true });
    writeFileSync(file(), '10.0.0.1 ssh-ed25519\n');
    const why = `${file()}: line 1 of known_hosts: expected host names, a key type and a key; mend that line, or remove it`;
    await expect(ask()).rejects.toMatchObject(refusal('access.ssh.knownHosts', why));
  });
});
