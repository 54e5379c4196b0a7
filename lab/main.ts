#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { Lab } from './lab.ts';
import type { HostProcess } from './machine.ts';
import { LabError } from './run.ts';
import { requireLab } from './requirements.ts';
import { loadShop } from './shop.ts';

interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

interface Command {
  readonly usage: string;
  readonly explains: string;
  readonly fewest: number;
  readonly run: (call: Call) => Promise<number>;
}

const processes: readonly HostProcess[] = ['mariadbd', 'sshd', 'keepalived'];

const commands: Readonly<Record<string, Command>> = {
  up: { usage: 'up', explains: 'make the lab: db1 db2 db3, app and control', fewest: 0, run: up },
  down: { usage: 'down', explains: 'remove it and all that it made', fewest: 0, run: down },
  status: { usage: 'status', explains: 'what is on, what is cut', fewest: 0, run: status },
  exec: {
    usage: 'exec HOST COMMAND…',
    explains: 'run a command on a host, on app or on control',
    fewest: 2,
    run: execute,
  },
  power: { usage: 'power HOST off|on', explains: 'pull the plug, or boot', fewest: 2, run: power },
  freeze: {
    usage: 'freeze HOST PROCESS',
    explains: `SIGSTOP to ${processes.join(', ')}`,
    fewest: 2,
    run: (call) => signal(call, 'SIGSTOP'),
  },
  thaw: { usage: 'thaw HOST PROCESS', explains: 'SIGCONT', fewest: 2, run: (call) => signal(call, 'SIGCONT') },
  kill: { usage: 'kill HOST PROCESS', explains: 'SIGKILL', fewest: 2, run: (call) => signal(call, 'SIGKILL') },
  cut: {
    usage: 'cut A B [one-way]',
    explains: 'drop everything between two of them; one-way: only from A to B',
    fewest: 2,
    run: cut,
  },
  heal: { usage: 'heal', explains: 'end all cuts, plug all cables in', fewest: 0, run: heal },
  save: { usage: 'save NAME', explains: 'keep the state of all hosts under a name', fewest: 1, run: save },
  restore: { usage: 'restore NAME', explains: 'drop everything since then', fewest: 1, run: restore },
  shop: { usage: 'shop HOST MB', explains: 'load the shop database', fewest: 2, run: shop },
  help: { usage: 'help', explains: 'this text', fewest: 0, run: help },
};

async function up({ name }: Call): Promise<number> {
  const lab = await Lab.up({ name });
  say(`The lab is up: ${lab.hosts.map((host) => `${host.name} ${host.address}`).join(', ')}; MariaDB runs on db1.`);
  say(`Inventory: ${lab.etc('standfast.yaml')}`);
  say('Next: npm run lab -- status; npm run lab -- exec db1 mariadb');
  return 0;
}

async function down({ name }: Call): Promise<number> {
  await Lab.remove(name);
  say(`The lab ${name} is gone.`);
  return 0;
}

async function status({ name }: Call): Promise<number> {
  const lab = Lab.attachByName(name);
  for (const host of lab.hosts) {
    const running = host.isOn() ? processes.filter((one) => host.processes(one).length > 0).join(' ') : '';
    const addresses = host.isOn()
      ? (await host.exec(['ip', '-br', '-4', 'addr', 'show', 'eth0'])).stdout.trim().split(/\s+/).slice(2).join(' ')
      : host.address;
    say(`${host.name}  ${host.isOn() ? 'on ' : 'off'}  ${addresses}  ${running}`);
  }
  for (const seat of [lab.app, lab.control]) say(`${seat.name}  ${seat.address}`);
  for (const one of lab.state.cuts)
    say(`cut: ${one.from} → ${one.to}${one.percent === undefined ? '' : ` (${String(one.percent)} %)`}`);
  for (const one of lab.state.linksDown) say(`cable out: ${one}`);
  say(
    `saved: ${Object.keys(lab.state.saved).join(', ') || 'nothing'}; disks in ${lab.state.storage === 'memory' ? 'memory' : 'a file'}; folder ${lab.folder}`,
  );
  return 0;
}

async function execute({ name, args: [where = '', ...argv] }: Call): Promise<number> {
  const lab = Lab.attachByName(name);
  const seats = { app: lab.app, control: lab.control };
  const place = where === 'app' || where === 'control' ? seats[where] : lab.host(where);
  const child = place.spawn(argv, { stdio: 'inherit' });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 137);
    });
  });
}

async function power({ name, args: [host = '', to = ''] }: Call): Promise<number> {
  const machine = Lab.attachByName(name).host(host);
  if (to !== 'on' && to !== 'off') throw new LabError(`power knows on and off, not ${to}; nothing was done`);
  await (to === 'on' ? machine.powerOn() : machine.powerOff());
  say(`${host} is ${to}.`);
  return 0;
}

function signal(
  { name, args: [host = '', program = ''] }: Call,
  kind: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL',
): Promise<number> {
  const target = processes.find((one) => one === program);
  if (target === undefined) throw new LabError(`${program} cannot be signalled; use one of ${processes.join(', ')}`);
  const count = Lab.attachByName(name).host(host).signal(target, kind);
  say(count === 0 ? `No ${target} runs on ${host}; nothing was done.` : `${kind} sent to ${target} on ${host}.`);
  return Promise.resolve(count === 0 ? 1 : 0);
}

async function cut({ name, args: [a = '', b = '', way] }: Call): Promise<number> {
  if (way !== undefined && way !== 'one-way') throw new LabError(`a cut is both ways, or one-way; not ${way}`);
  await Lab.attachByName(name).cut(a, b, way === undefined ? 'both' : 'a-to-b');
  say(way === undefined ? `${a} and ${b} cannot reach each other.` : `Nothing from ${a} reaches ${b}.`);
  return 0;
}

async function heal({ name }: Call): Promise<number> {
  await Lab.attachByName(name).heal();
  say('No cuts, all cables in.');
  return 0;
}

async function save({ name, args: [as = ''] }: Call): Promise<number> {
  await Lab.attachByName(name).save(as);
  say(`Saved as ${as}; the hosts have booted again.`);
  return 0;
}

async function restore({ name, args: [from = ''] }: Call): Promise<number> {
  await Lab.attachByName(name).restore(from);
  say(`Back at ${from}.`);
  return 0;
}

async function shop({ name, args: [host = '', size = ''] }: Call): Promise<number> {
  const sizeMb = Number(size);
  if (!(sizeMb >= 1 && sizeMb <= 20_000))
    throw new LabError(`the size of the shop is a number of MB from 1 to 20000, not ${size}`);
  const loaded = await loadShop(Lab.attachByName(name).host(host), {
    sizeMb,
    onTable: (table, rows) => {
      say(`${table}: ${String(rows)} rows`);
    },
  });
  say(`${String(loaded.rows)} rows, ${String(Math.round(loaded.bytes / 2 ** 20))} MB on disk.`);
  return 0;
}

function help(): Promise<number> {
  const width = Math.max(...Object.values(commands).map((command) => command.usage.length));
  say('npm run lab -- [--name NAME] COMMAND, as root on Linux. NAME is sf unless given.\n');
  for (const command of Object.values(commands)) say(`  ${command.usage.padEnd(width)}  ${command.explains}`);
  return Promise.resolve(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Options end at the command, so that `exec HOST ls --all` needs no further dashes. */
function split(argv: readonly string[]): { readonly name: string; readonly words: readonly string[] } {
  const first = argv.findIndex((word, index) => !word.startsWith('-') && argv[index - 1] !== '--name');
  const options = first === -1 ? argv : argv.slice(0, first);
  const { values } = parseArgs({
    args: [...options],
    options: { name: { type: 'string', default: 'sf' }, help: { type: 'boolean' } },
  });
  return { name: values.name, words: first === -1 || values.help === true ? ['help'] : argv.slice(first) };
}

async function main(): Promise<number> {
  const {
    name,
    words: [verb = 'help', ...args],
  } = split(process.argv.slice(2));
  const command = commands[verb];
  if (command === undefined || args.length < command.fewest) {
    process.stderr.write(
      `${command === undefined ? `the lab has no command ${verb}` : `usage: npm run lab -- ${command.usage}`}\n`,
    );
    if (command === undefined) process.stderr.write('npm run lab -- help lists them\n');
    return 2;
  }
  if (verb !== 'help') requireLab();
  return await command.run({ name, args });
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (!(error instanceof LabError) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  process.exitCode = 1;
}
