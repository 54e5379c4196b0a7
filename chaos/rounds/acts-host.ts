import type { Host } from '../../lab/machine.ts';
import { LabError } from '../../lab/run.ts';
import { fillDisk, freeDisk, giveSmallDisk } from '../../lab/small-disk.ts';
import type { Act } from './acts.ts';
import { ROLES } from './catalogue.ts';
import type { Fault } from './plan.ts';
import { hostOf } from './scene.ts';
import type { Scene } from './scene.ts';

const START_MS = 60_000;
const ROOM_MB = 96;

/** As whoever is on call does when a server is down; what the product forbids meanwhile stays forbidden. */
export async function startServer(host: Host): Promise<void> {
  if (!host.isOn()) return;
  const started = await host.exec(['service', 'mariadb', 'start'], { timeoutMs: START_MS });
  if (started.exitCode !== 0) throw new LabError(`MariaDB on ${host.name} does not start: ${started.stderr}`);
}

export async function powerOn({ stage, ledger }: Scene, name: string): Promise<void> {
  const host = stage.lab.host(name);
  if (host.isOn()) return;
  await host.powerOn();
  ledger.hostIsBack(name);
}

const strike =
  (signal: 'SIGKILL' | 'SIGSTOP'): Act['make'] =>
  async (scene, fault) => {
    const host = hostOf(scene, fault);
    if (host.signal('mariadbd', signal) === 0) throw new LabError(`no mariadbd runs on ${host.name}`);
    return Promise.resolve();
  };

async function superviseServer(host: Host): Promise<void> {
  const done = await host.exec(['bash', '-ec', 'touch /etc/lab-supervise; service mariadb restart'], {
    timeoutMs: START_MS,
  });
  if (done.exitCode !== 0) throw new LabError(`no supervisor on ${host.name}: ${done.stderr}`);
}

const cutAs =
  (direction: 'both' | 'a-to-b') =>
  (scene: Scene, { host, peer }: Fault): Promise<void> =>
    scene.inTurn(() => scene.stage.lab.cut(host ?? '', peer ?? '', direction));

const join = (scene: Scene, { host, peer }: Fault): Promise<void> =>
  scene.inTurn(() => scene.stage.lab.join(host ?? '', peer ?? ''));

const eachReplica =
  (work: (scene: Scene, fault: Fault) => Promise<void>) =>
  async (scene: Scene, fault: Fault): Promise<void> => {
    for (const peer of [ROLES.candidate, ROLES.other]) await work(scene, { ...fault, peer });
  };

/** A server that waits for room looks again only once a minute, so whoever made the room restarts it. */
async function makeRoom(scene: Scene, fault: Fault): Promise<void> {
  const host = hostOf(scene, fault);
  if (!host.isOn()) await powerOn(scene, host.name);
  await freeDisk(host);
  host.signal('mariadbd', 'SIGKILL');
  await startServer(host);
}

export const hostActs = {
  kill: {
    make: strike('SIGKILL'),
    heal: (scene, fault) => startServer(hostOf(scene, fault)),
  },
  power: {
    make: (scene, fault) => hostOf(scene, fault).powerOff(),
    heal: (scene, fault) => powerOn(scene, hostOf(scene, fault).name),
  },
  freeze: {
    make: strike('SIGSTOP'),
    heal: (scene, fault) => {
      const host = hostOf(scene, fault);
      if (host.isOn()) host.signal('mariadbd', 'SIGCONT');
      return Promise.resolve();
    },
  },
  isolate: {
    make: (scene, { host }) => scene.inTurn(() => scene.stage.lab.linkDown(host ?? '')),
    heal: (scene, { host }) => scene.inTurn(() => scene.stage.lab.linkUp(host ?? '')),
  },
  'instant-restart': {
    prepare: superviseServer,
    make: strike('SIGKILL'),
  },
  'full-disk': {
    prepare: (host) => giveSmallDisk(host, ROOM_MB),
    make: (scene, fault) => fillDisk(hostOf(scene, fault)),
    heal: makeRoom,
  },
  cut: { make: cutAs('both'), heal: join },
  'one-way-cut': { make: cutAs('a-to-b'), heal: join },
  parted: { make: eachReplica((scene, fault) => cutAs('both')(scene, fault)), heal: eachReplica(join) },
  'control-cut': { make: cutAs('both'), heal: join },
} as const satisfies Readonly<Record<string, Act>>;
