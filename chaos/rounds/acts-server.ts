import { passwordOf } from '../../lab/lab-files.ts';
import type { Host } from '../../lab/machine.ts';
import { LabError, until } from '../../lab/run.ts';
import type { Act } from './acts.ts';
import type { Fault } from './plan.ts';
import { endHolders, hostOf } from './scene.ts';
import type { Scene } from './scene.ts';

const SQL_MS = 4_000;
const FEWEST_CONNECTIONS = 10;
const BIG_MS = 20_000;
const FOR_LONG_SECONDS = 3600;

async function say(scene: Scene, fault: Fault, statement: string): Promise<void> {
  await hostOf(scene, fault).sql(statement, { timeoutMs: SQL_MS });
}

/** A session that says all this and then stays idle, until its fault heals. */
async function hold(scene: Scene, fault: Fault, statement: string): Promise<void> {
  const host = hostOf(scene, fault);
  const mark = 'standing by';
  const session = host.spawn(['mariadb', '--batch', '--unbuffered'], { stdio: ['pipe', 'pipe', 'ignore'] });
  scene.holders.set(fault, [session]);
  let said = '';
  session.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  session.stdin?.on('error', () => undefined); // its host may lose its power; the exit code tells
  session.stdin?.write(`${statement}; SELECT '${mark}';\n`);
  const stands = (): true | undefined => {
    if (session.exitCode !== null) throw new LabError(`the session on ${host.name} ended`);
    return said.includes(mark) ? true : undefined;
  };
  await until(`${fault.kind} on ${host.name}`, stands, SQL_MS);
}

/** The sessions of an application that never ends them. */
async function takeConnections(scene: Scene, fault: Fault): Promise<void> {
  const host = hostOf(scene, fault);
  await host.sql(`SET GLOBAL max_connections = ${String(FEWEST_CONNECTIONS)}`, { timeoutMs: SQL_MS });
  const environment = { MYSQL_PWD: passwordOf(scene.stage.lab.state, 'app'), PATH: '/usr/bin:/bin' };
  const sessions = Array.from({ length: FEWEST_CONNECTIONS + 2 }, () =>
    host.spawn(['mariadb', '-uapp', '-e', `SELECT SLEEP(${String(FOR_LONG_SECONDS)})`], {
      stdio: 'ignore',
      env: environment,
    }),
  );
  scene.holders.set(fault, sessions);
}

async function giveConnections(scene: Scene, fault: Fault): Promise<void> {
  endHolders(scene, fault);
  const host = hostOf(scene, fault);
  if (host.processes('mariadbd').length === 0) return;
  // A server notices only when it wants to answer them that its clients are gone.
  const statement = 'SET GLOBAL max_connections = 151; KILL USER app';
  await until(
    `room for connections on ${host.name}`,
    async () => {
      const done = await host.exec(['mariadb', '-e', statement], { timeoutMs: SQL_MS });
      return done.exitCode === 0 || host.processes('mariadbd').length === 0 ? true : undefined;
    },
    SQL_MS,
  );
}

/** Damages what a replica has received and not yet applied, as a bad disk would. */
const damage =
  (how: string): Act['make'] =>
  async (scene, fault) => {
    const host = hostOf(scene, fault);
    await say(scene, fault, 'STOP SLAVE SQL_THREAD');
    const applied = await relayPosition(host);
    await until(
      `something received and not applied on ${host.name}`,
      async () => ((await sizeOf(host, applied.file)) > applied.position + 3000 ? true : undefined),
      SQL_MS,
    );
    const done = await host.exec(
      ['bash', '-euc', how, 'damage', `/var/lib/mysql/${applied.file}`, String(applied.position)],
      { timeoutMs: SQL_MS },
    );
    if (done.exitCode !== 0) throw new LabError(`the relay log of ${host.name}: ${done.stderr}`);
    await say(scene, fault, 'START SLAVE SQL_THREAD');
  };

async function relayPosition(host: Host): Promise<{ readonly file: string; readonly position: number }> {
  const { stdout } = await host.exec(['mariadb', '-E', '-e', 'SHOW ALL SLAVES STATUS'], { timeoutMs: SQL_MS });
  const value = (name: string): string => new RegExp(`^\\s*${name}: (.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const file = value('Relay_Log_File');
  if (file === '') throw new LabError(`${host.name} has no relay log`);
  return { file, position: Number(value('Relay_Log_Pos')) };
}

async function sizeOf(host: Host, file: string): Promise<number> {
  const { stdout } = await host.exec(['stat', '-c', '%s', `/var/lib/mysql/${file}`], { timeoutMs: SQL_MS });
  return Number(stdout);
}

const stopThread = (name: 'SQL_THREAD' | 'IO_THREAD'): Act => ({
  make: (scene, fault) => say(scene, fault, `STOP SLAVE ${name}`),
});

const BIG_TRANSACTION = `INSERT INTO shop.reviews (product, customer, stars, body)
  SELECT 1, 1, 1 + seq % 5, REPEAT(MD5(seq), 4) FROM seq_1_to_20000`;
const held = (statement: string): Act => ({
  make: (scene, fault) => hold(scene, fault, statement),
  heal: (scene, fault) => {
    endHolders(scene, fault);
    return Promise.resolve();
  },
});

export const serverActs = {
  'relay-damage': {
    make: damage(`printf '\\377\\252\\125\\000\\377' | dd of="$1" bs=1 seek=$(($2 + 700)) conv=notrunc status=none`),
  },
  'relay-cut': { make: damage(`truncate -s $(($2 + 1500)) "$1"`) },
  'full-connections': { make: takeConnections, heal: giveConnections },
  'open-transaction': held(
    "BEGIN; INSERT INTO shop.reviews (product, customer, stars, body) SELECT 1, 1, 5, 'open' FROM seq_1_to_100",
  ),
  'long-transaction': {
    make: async (scene, fault) => {
      await hostOf(scene, fault).sql(BIG_TRANSACTION, { timeoutMs: BIG_MS });
    },
  },
  'row-lock': held('BEGIN; SELECT COUNT(*) FROM ledger.writes FOR UPDATE'),
  'global-lock': held('FLUSH TABLES WITH READ LOCK'),
  'applier-stopped': stopThread('SQL_THREAD'),
  'receiver-stopped': stopThread('IO_THREAD'),
  errant: {
    make: (scene, fault) =>
      say(scene, fault, "INSERT INTO shop.reviews (product, customer, stars, body) VALUES (1, 1, 1, 'errant')"),
  },
} as const satisfies Readonly<Record<string, Act>>;
