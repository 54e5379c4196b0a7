import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Lab } from '../../lab/lab.ts';
import type { Host } from '../../lab/machine.ts';
import { passwordOf } from '../../lab/lab-files.ts';
import { plainEnvironment, until } from '../../lab/run.ts';
import type { RunResult } from '../../lab/run.ts';
import { loadShop } from '../../lab/shop.ts';
import { projectFolder } from '../../lab/state.ts';
import { TemporalServer, temporalCli } from '../../lab/temporal.ts';
import { LabWorker } from '../../lab/workers.ts';
import type { Block, Section } from './tutorial-page.ts';
import { notPrinted } from './tutorial-page.ts';

const STRICT = ['bash', '-euo', 'pipefail', '-c'];
const KEEPALIVED = '/etc/keepalived/keepalived.conf';

/** The machine of the worker, as it is when the page begins: root's ssh reaches the hosts. The package, and `temporal`, are installed. */
export class TutorialLab {
  readonly lab: Lab;
  readonly #temporal: TemporalServer;
  readonly #folder: string;
  #worker: LabWorker | undefined;

  private constructor(lab: Lab, temporal: TemporalServer) {
    this.lab = lab;
    this.#temporal = temporal;
    this.#folder = path.join(lab.folder, 'worker-machine');
  }

  /** Three plain hosts, whose servers are not configured yet, and a Temporal. */
  static async up(): Promise<TutorialLab> {
    const lab = await Lab.up({ name: `${process.env['STANDFAST_TEST_LAB'] ?? 't-int'}-tut`, withHelper: false });
    const tutorial = new TutorialLab(lab, await TemporalServer.start(lab));
    await tutorial.#installCommands();
    return tutorial;
  }

  /** The set-up of the guides: the files of the section, copies by dump that follow file positions, and the folder that cron's script copies. */
  async layClassic({ blocks }: Section): Promise<void> {
    const [db1, ...replicas] = this.lab.hosts;
    if (db1 === undefined) throw new Error('the lab has no host');
    await db1.sql("DROP USER 'standfast'@'10.77.0.%', 'standfast_beat'@'localhost'; DROP DATABASE standfast");
    await loadShop(db1, { sizeMb: 5 });
    for (const { words, text } of blocks) {
      const [hosts = '', file = ''] = words;
      for (const host of hosts.split(',')) await this.#put(host, file, this.#local(text));
      if (file !== KEEPALIVED) continue;
      for (const [at, { name }] of replicas.entries())
        await this.#put(name, file, this.#local(text.replace('MASTER', 'BACKUP').replace('101', String(100 - at))));
    }
    await db1.exec(['service', 'mariadb', 'restart'], { timeoutMs: 60_000 });
    const follow = `CHANGE MASTER TO MASTER_HOST='${db1.address}', MASTER_USER='repl', MASTER_PASSWORD='${passwordOf(this.lab.state, 'repl')}'`;
    const dump = `ssh root@${db1.address} mariadb-dump --databases shop ledger --single-transaction --master-data=1 --routines --triggers`;
    for (const host of replicas)
      await done(host, `service mariadb start; (echo "${follow};"; ${dump}; echo "START SLAVE;") | mariadb`);
    for (const host of this.lab.hosts) await host.exec(['service', 'keepalived', 'start']);
    await until('keepalived that holds the VIP', async () =>
      (await db1.exec(['ip', '-br', 'addr'])).stdout.includes(this.lab.vip) ? true : undefined,
    );
    for (const host of this.lab.hosts) await done(host, 'mkdir -p /srv/uploads');
    await done(db1, 'cd /srv/uploads; mkdir 2026; for i in {1..20}; do echo "$i" >"2026/$i"; done');
    await done(db1, 'chmod 755 /usr/local/bin/sync_uploads.sh; /usr/local/bin/sync_uploads.sh');
  }

  /** Does what a section says, block by block, and holds its output against what the page shows. */
  async follow({ blocks }: Section, before: (block: Block) => Promise<void>): Promise<void> {
    for (const [at, block] of blocks.entries()) {
      if (block.kind === 'text') continue;
      const next = blocks[at + 1];
      await before(block);
      await this.#do(block, next?.kind === 'text' ? next : undefined);
    }
  }

  async #do(block: Block, shown: Block | undefined): Promise<void> {
    const [host, file] = block.words;
    if (host === 'installed') return;
    if (host === 'service') return this.#startService(block);
    if (host !== undefined && file !== undefined) return this.#put(host, file, this.#local(block.text));
    const done = await (host === undefined ? this.type(block.text) : this.on(host, block.text));
    const printed = done.stdout + done.stderr;
    this.#relocate();
    const where = `docs/tutorial.md:${String(block.line)}`;
    const wanted = Number(shown?.words[0] ?? '0');
    if (done.exitCode !== wanted)
      throw new Error(`${where} ended with ${String(done.exitCode)}, not ${String(wanted)}:\n${printed}`);
    const missing = shown === undefined ? undefined : notPrinted(this.#local(shown.text), printed);
    if (missing !== undefined) throw new Error(`${where} did not print "${missing}" there, but:\n${printed}`);
  }

  /** A script of root's on a host. */
  on(host: string, script: string): Promise<RunResult> {
    return this.lab.host(host).exec([...STRICT, this.#local(script)], { timeoutMs: 90_000 });
  }

  /** A script on the worker's machine, in a shell that has read what the page says that every shell reads. */
  type(script: string): Promise<RunResult> {
    const env = {
      ...plainEnvironment,
      PATH: `${this.#folder}/bin:${plainEnvironment['PATH'] ?? ''}`,
      ...this.#workerEnvironment(),
    };
    return this.lab.control.exec([...STRICT, this.#local(script)], { env, timeoutMs: 180_000 });
  }

  /** The folder of the worker, whether it is there or not. */
  get etc(): string {
    return path.join(this.#folder, 'etc');
  }

  async stopService(): Promise<void> {
    this.#worker?.signal('SIGTERM');
    await this.#worker?.ended();
  }

  async #startService(block: Block): Promise<void> {
    if (block.text !== 'standfast worker start\n') throw new Error(`no service of the tutorial: ${block.text}`);
    const { TEMPORAL_ADDRESS: temporal = '', ...environment } = this.#workerEnvironment();
    this.#worker = await LabWorker.start(this.lab, 'tutorial', { temporal, role: 'both', environment });
  }

  /** What systemd reads of `EnvironmentFile=`, and where the inventory lies on this machine. */
  #workerEnvironment(): Record<string, string> {
    const file = this.#etc('worker.env');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    const pairs = lines.filter((line) => line !== '').map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [line, '']);
    return { ...(Object.fromEntries(pairs) as Record<string, string>), STANDFAST_CONFIG: this.#etc('standfast.yaml') };
  }

  async #put(host: string, file: string, text: string): Promise<void> {
    const put = await this.lab
      .host(host)
      .exec(['sh', '-c', 'mkdir -p "${1%/*}"; cat >"$1"', 'put', file], { input: text });
    if (put.exitCode !== 0) throw new Error(`${file} on ${host}: ${put.stderr}`);
  }

  /** The only things that are different here: the network, and where the worker's machine has its files. */
  #local(text: string): string {
    return text
      .replaceAll('10.0.0.', '10.77.0.')
      .replaceAll('/etc/standfast', this.etc)
      .replaceAll('temporal.example.com:7233', this.#temporal.insideAddress)
      .replaceAll('$(npm root -g)/standfast/', `${projectFolder}/`);
  }

  /** What `init` drafts names files in /etc/standfast, which this machine may not have. */
  #relocate(): void {
    const file = this.#etc('standfast.yaml');
    if (!existsSync(file)) return;
    const text = readFileSync(file, 'utf8');
    if (text.includes(':/etc/standfast') || text.includes(' /etc/standfast')) writeFileSync(file, this.#local(text));
  }

  #etc(name: string): string {
    return path.join(this.etc, name);
  }

  /** `standfast` as the package installs it, and an `ssh` that has an administrator's key: on the hosts as well, since cron's script needs it. */
  async #installCommands(): Promise<void> {
    const { lab } = this;
    mkdirSync(path.join(this.#folder, 'bin'), { recursive: true, mode: 0o700 });
    const command = (name: string, line: string) => {
      writeFileSync(path.join(this.#folder, 'bin', name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
    };
    const access = `-i ${lab.etc('ssh_key')} -o IdentitiesOnly=yes -o UserKnownHostsFile=${lab.etc('known_hosts')}`;
    command('standfast', `${process.execPath} ${path.join(projectFolder, 'dist', 'bin', 'standfast.js')}`);
    command('temporal', temporalCli());
    for (const name of ['ssh', 'scp']) command(name, `/usr/bin/${name} ${access}`);
    const key = readFileSync(lab.etc('ssh_key'), 'utf8');
    const known = readFileSync(lab.etc('known_hosts'), 'utf8');
    const script =
      // A plain host's root has no profile that does much: bash reads it at every ssh.
      'umask 077; rm -f /root/.bashrc /root/.profile /root/.bash_profile; mkdir -p /root/.ssh; cd /root/.ssh; cat >id_ed25519; ssh-keygen -y -f id_ed25519 >authorized_keys';
    for (const host of lab.hosts) {
      const put = await host.exec(['bash', '-euc', script], { input: key });
      if (put.exitCode !== 0) throw new Error(`root's key on ${host.name}: ${put.stderr}`);
      await this.#put(host.name, '/root/.ssh/known_hosts', known);
    }
  }
}

async function done(host: Host, script: string): Promise<void> {
  const { exitCode, stderr } = await host.exec(['bash', '-euo', 'pipefail', '-c', script], { timeoutMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${script} on ${host.name}: ${stderr}`);
}
