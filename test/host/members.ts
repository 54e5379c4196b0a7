import type { ClusterPorts, HelperPort, Row, Session } from '../../adapters/ports.ts';
import { AdapterFailure } from '../../adapters/ports.ts';
import type { ClusterDescription, HostName } from '../../domain/cluster.ts';
import type { FailureType } from '../../domain/failure.ts';
import { Sandbox } from './sandbox.ts';

/** Members of a cluster: real helpers on throw-away hosts. Which of them answer is for the test to say. */
export class Members {
  readonly hosts: ReadonlyMap<HostName, Sandbox>;
  readonly #silent = new Set<HostName>();

  private constructor(hosts: ReadonlyMap<HostName, Sandbox>) {
    this.hosts = hosts;
  }

  static async start(names: readonly HostName[]): Promise<Members> {
    const started = await Promise.all(names.map(async (name) => [name, await Sandbox.start(name)] as const));
    return new Members(new Map(started));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.hosts.values()].map((host) => host.stop()));
  }

  on(name: HostName): Sandbox {
    const host = this.hosts.get(name);
    if (host === undefined) throw new Error(`there is no ${name}`);
    return host;
  }

  silence(...names: readonly HostName[]): void {
    for (const name of names) this.#silent.add(name);
  }

  hear(...names: readonly HostName[]): void {
    for (const name of names) this.#silent.delete(name);
  }

  /** Back after a power cut: what is recorded says another boot. */
  reboot(name: HostName): void {
    this.on(name).shell("sed -i 's/^[^ ]*/boot-of-before/' /var/lib/standfast/standing");
    this.hear(name);
  }

  forgetAll(): void {
    this.#silent.clear();
    for (const host of this.hosts.values()) host.shell('rm -rf /var/lib/standfast/*');
  }

  record(name: HostName, what: 'primary' | 'epoch' | 'sync'): string {
    return this.on(name).must('cat', `/var/lib/standfast/${what}`);
  }

  /** As far as an authority needs them: the helpers, and a server that says who it is. */
  ports(names: readonly HostName[]): ClusterPorts {
    const databases = names.filter((name) => name.startsWith('db'));
    const description: ClusterDescription = {
      cluster: 'shop',
      hosts: databases.map((name, index) => ({
        name,
        site: 'a',
        country: 'NO',
        rank: 100,
        promotable: true,
        serverId: index + 1,
      })),
      witnesses: names.filter((name) => !databases.includes(name)),
      mode: 'semisync',
      alone: 'async',
      salvage: 'apply',
      mayLose: 0,
      fence: ['ssh', 'powerOff'],
      lag: { warnMs: 1000, failMs: 10_000 },
      watch: {
        everyMs: 100,
        silenceMs: 500,
        heartbeatMs: 1_000,
        rehearsalMs: 0,
        observers: [],
        automatic: false,
        graceMs: 0,
        cooldownMs: 600_000,
      },
      countries: [],
    };
    const known: Partial<ClusterPorts> = {
      description,
      owner: 'plane-1',
      operationAccount: 'standfast',
      helper: (host) => this.#helper(host),
      session: (host) => Promise.resolve(serverOf(host, databases.indexOf(host) + 1)),
      nameOf: () => null,
    };
    return known as ClusterPorts;
  }

  #helper(host: HostName): HelperPort {
    return {
      request: (verb, args = {}) => {
        if (this.#silent.has(host))
          return Promise.reject(new AdapterFailure({ type: 'Unreachable', host, silence: 'silent', message: host }));
        const answer = this.on(host).ask(verb, args);
        return answer.ok
          ? Promise.resolve(answer.fields)
          : Promise.reject(new AdapterFailure({ type: answer.type as FailureType, host, message: answer.message }));
      },
    };
  }
}

const serverOf = (host: HostName, serverId: number): Session => ({
  host,
  rows: (statement): Promise<readonly Row[]> =>
    Promise.resolve(
      statement.startsWith('SHOW')
        ? []
        : [
            { name: 'server_id', value: serverId },
            { name: 'gtid_binlog_state', value: `0-${String(serverId)}-7` },
          ],
    ),
  close: () => undefined,
});
