import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createAccounts } from './accounts.ts';
import { cutsBetween, withCuts, withoutCuts, type Direction, type Loss } from './cuts.ts';
import { buildBase, prepareHosts } from './image.ts';
import type { ClusterSettings } from './lab-files.ts';
import { etc, passwordOf, writeInventory, writeKnownHosts, writeSecrets } from './lab-files.ts';
import { Host, Seat, upperOf, type LabContext } from './machine.ts';
import { applyCuts, makeSwitch, network, plug, setLink } from './network.ts';
import { requireLab } from './requirements.ts';
import { LabError } from './run.ts';
import { defaultFolder, readState, registeredFolder, writeState, type LabState } from './state.ts';
import { startForwarder } from './forwarder.ts';
import { chooseStorage, mountStorage, storageOf } from './storage.ts';
import { tearDown } from './teardown.ts';

export interface LabOptions {
  readonly name?: string;
  /** Absolute; .lab/NAME in the project unless given. */
  readonly folder?: string;
  readonly hosts?: readonly string[];
  /** False leaves the product's helper out, for tests of the lab itself. */
  readonly withHelper?: boolean;
  readonly storage?: LabState['storage'];
}

/** Hosts that can really die, an application's seat and a control seat, on one private network. */
export class Lab implements LabContext {
  readonly app: Seat;
  readonly control: Seat;
  readonly hosts: readonly Host[];
  readonly vip = network.vip;
  #state: LabState;

  private constructor(state: LabState) {
    this.#state = state;
    this.app = new Seat(state, 'app');
    this.control = new Seat(state, 'control');
    this.hosts = state.hosts.map((name) => new Host(this, name));
  }

  /** Makes a lab; what is left of an earlier one with this name is removed first. */
  static async up(options: LabOptions = {}): Promise<Lab> {
    const state = plan(options);
    requireLab();
    await tearDown(state.name, state.folder);
    mkdirSync(path.join(state.folder, 'run'), { recursive: true, mode: 0o700 });
    const lab = new Lab(state);
    writeState(state);
    try {
      await lab.#build(options.withHelper ?? true);
    } catch (error) {
      await tearDown(state.name, state.folder);
      throw error;
    }
    return lab;
  }

  static attach(folder: string): Lab {
    const state = readState(folder);
    if (state === undefined) throw new LabError(`there is no lab in ${folder}. Make one first (npm run lab -- up).`);
    return new Lab(state);
  }

  static attachByName(name: string): Lab {
    return Lab.attach(registeredFolder(name) ?? defaultFolder(name));
  }

  /** Removes a lab by its name, whatever state it is in. */
  static async remove(name: string): Promise<void> {
    await tearDown(name, registeredFolder(name) ?? defaultFolder(name));
  }

  get state(): LabState {
    return this.#state;
  }

  get folder(): string {
    return this.#state.folder;
  }

  /** Path of a file in FOLDER/etc: standfast.yaml, ssh_key, known_hosts, power, ACCOUNT.password. */
  etc(name: string): string {
    return etc(this.#state, name);
  }

  /** Writes the inventory anew, with these settings instead of the usual ones. Workers go by it from their next step on. */
  configure(settings: ClusterSettings): void {
    writeInventory(this.#state, settings);
  }

  /** Passwords that nobody may ever print. */
  secrets(): readonly string[] {
    return (['standfast', 'repl', 'app'] as const).map((account) => passwordOf(this.#state, account));
  }

  change(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.#state);
  }

  host(name: string): Host {
    const host = this.hosts.find((one) => one.name === name);
    if (host !== undefined) return host;
    throw new LabError(`the lab ${this.#state.name} has no host ${name}; it has ${this.#state.hosts.join(', ')}`);
  }

  /** Drops everything between two hosts or seats, one direction of it, or a share of the packets. */
  async cut(a: string, b: string, how: Direction | Loss = 'both'): Promise<void> {
    for (const name of [a, b]) this.#requireMember(name);
    this.change({ cuts: withCuts(this.#state.cuts, cutsBetween(a, b, how)) });
    await applyCuts(this.#state);
  }

  /** Ends the cuts between two. */
  async join(a: string, b: string): Promise<void> {
    this.change({ cuts: withoutCuts(this.#state.cuts, a, b) });
    await applyCuts(this.#state);
  }

  /** Ends all cuts and puts all cables back. */
  async heal(): Promise<void> {
    const unplugged = this.#state.linksDown;
    this.change({ cuts: [], linksDown: [] });
    await applyCuts(this.#state);
    for (const name of unplugged) await setLink(this.#state, name);
  }

  async linkDown(name: string): Promise<void> {
    this.#requireMember(name);
    this.change({ linksDown: [...this.#state.linksDown.filter((one) => one !== name), name] });
    await setLink(this.#state, name);
  }

  async linkUp(name: string): Promise<void> {
    this.change({ linksDown: this.#state.linksDown.filter((one) => one !== name) });
    await setLink(this.#state, name);
  }

  /** Stops the databases cleanly, keeps all disks under a name, and boots again. */
  async save(name: string): Promise<void> {
    if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new LabError(`${name} cannot name a saved state: use a-z, 0-9 and -`);
    if (this.#state.saved[name] !== undefined)
      throw new LabError(`the state ${name} exists already; nothing was changed. Choose another name.`);
    await Promise.all(this.hosts.map((host) => this.#shutDown(host)));
    mkdirSync(path.join(storageOf(this.#state), 'saved', name), { recursive: true });
    for (const host of this.#state.hosts) {
      renameSync(upperOf(this.#state, host), path.join(storageOf(this.#state), 'saved', name, host));
    }
    const layers = [name, ...this.#state.layers];
    this.change({ layers, saved: { ...this.#state.saved, [name]: layers } });
    await this.#powerOnAll();
  }

  /** Drops all that happened since `save(name)`: power off, the saved disks, no cuts, power on. */
  async restore(name: string): Promise<void> {
    const layers = this.#state.saved[name];
    if (layers === undefined) {
      const known = Object.keys(this.#state.saved).join(', ') || 'none';
      throw new LabError(`there is no saved state ${name} (there is: ${known}); nothing was changed`);
    }
    await Promise.all(this.hosts.map((host) => host.powerOff()));
    await this.heal();
    for (const host of this.#state.hosts) rmSync(upperOf(this.#state, host), { recursive: true, force: true });
    this.change({ layers });
    await this.#powerOnAll();
  }

  /** Makes 127.0.0.1:`port` of a seat reachable at 127.0.0.1:`localPort` of the machine. Answers the local port. */
  async expose(seat: 'app' | 'control', port: number, localPort?: number): Promise<number> {
    const forwarder = await startForwarder({ folder: this.folder, namespace: this[seat].namespace, port, localPort });
    this.change({ processes: [...this.#state.processes, ...forwarder.processes] });
    return forwarder.localPort;
  }

  /** Makes 127.0.0.1:`port` of the control seat reachable at the same place of the application's seat, over no wire that can be cut. */
  async lend(port: number): Promise<void> {
    const { app, control } = this;
    const way = { namespace: control.namespace, into: app.namespace, port, localPort: port };
    const { processes } = await startForwarder({ folder: this.folder, ...way });
    this.change({ processes: [...this.#state.processes, ...processes] });
  }

  async down(): Promise<void> {
    await tearDown(this.#state.name, this.folder);
  }

  async #build(withHelper: boolean): Promise<void> {
    const { hosts } = this.#state;
    await mountStorage(this.#state);
    await writeSecrets(this.#state);
    await Promise.all([buildBase(this.#state), this.#wire()]);
    await prepareHosts(this.#state, { withHelper });
    writeKnownHosts(this.#state);
    this.configure({});
    await this.#powerOnAll();
    const primary = this.host(hosts[0] ?? '');
    const started = await primary.exec(['service', 'mariadb', 'start']);
    if (started.exitCode !== 0) throw new LabError(`MariaDB on ${primary.name} does not start:\n${started.stderr}`);
    await createAccounts(primary, {
      standfast: passwordOf(this.#state, 'standfast'),
      repl: passwordOf(this.#state, 'repl'),
      app: passwordOf(this.#state, 'app'),
    });
  }

  async #wire(): Promise<void> {
    await makeSwitch(this.#state);
    for (const seat of ['app', 'control']) await plug(this.#state, seat);
  }

  async #powerOnAll(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.powerOn()));
  }

  async #shutDown(host: Host): Promise<void> {
    if (host.isOn()) {
      const stopped = await host.exec(['service', 'mariadb', 'stop']);
      if (stopped.exitCode !== 0)
        throw new LabError(`MariaDB on ${host.name} does not stop, so nothing was saved:\n${stopped.stderr}`);
    }
    await host.powerOff();
  }

  #requireMember(name: string): void {
    const members = [...this.#state.hosts, 'app', 'control'];
    if (!members.includes(name))
      throw new LabError(`there is no ${name} in the lab; there is ${members.join(', ')}. Nothing was changed.`);
  }
}

function plan(options: LabOptions): LabState {
  const name = options.name ?? 'sf';
  const hosts = options.hosts ?? ['db1', 'db2', 'db3'];
  const folder = options.folder ?? defaultFolder(name);
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(name))
    throw new LabError(`${name} cannot name a lab: use up to 16 of a-z, 0-9 and -, a letter first`);
  if (hosts.length === 0 || hosts.length > 9 || hosts.some((host) => !/^(db|w)\d{1,2}$/.test(host))) {
    throw new LabError(
      `hosts of a lab are named db1, db2, … (w1, … for witnesses), at most nine; not ${hosts.join(', ')}`,
    );
  }
  if (!path.isAbsolute(folder) || /[:,\s\\]/.test(folder)) {
    throw new LabError(
      `a lab cannot live in ${folder}: an absolute path without colon, comma, backslash or space is needed`,
    );
  }
  const storage = options.storage ?? chooseStorage();
  return { name, folder, storage, hosts, layers: [], saved: {}, cuts: [], linksDown: [], processes: [] };
}
