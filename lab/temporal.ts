import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Lab } from './lab.ts';
import { end, isAlive, mark, type ProcessMark } from './processes.ts';
import { LabError, must, plainEnvironment, run } from './run.ts';
import { projectFolder } from './state.ts';

export interface TemporalOptions {
  /** Ports on 127.0.0.1 of the machine; free ones unless given. */
  readonly port?: number;
  readonly uiPort?: number;
}

const inside = { port: 7233, uiPort: 8233 } as const;
const attributes = ['StandfastCluster', 'StandfastRunbook', 'StandfastPhase', 'StandfastOutcome'];

interface Ports {
  readonly port: number;
  readonly uiPort: number;
}

/** A Temporal server with its UI in the control seat, on a file: it can be killed and started again without losing a run. */
export class TemporalServer {
  /** For processes of the control seat. */
  readonly insideAddress = `127.0.0.1:${String(inside.port)}`;
  /** For processes of the machine. */
  readonly address: string;
  readonly uiAddress: string;
  readonly #lab: Lab;
  readonly #ports: Ports;
  #process: ProcessMark | undefined;

  private constructor(lab: Lab, ports: Ports) {
    this.#lab = lab;
    this.#ports = ports;
    this.address = `127.0.0.1:${String(ports.port)}`;
    this.uiAddress = `http://127.0.0.1:${String(ports.uiPort)}`;
  }

  /** Starts it and waits until it answers. */
  static async start(lab: Lab, options: TemporalOptions = {}): Promise<TemporalServer> {
    const port = await lab.expose('control', inside.port, options.port);
    const uiPort = await lab.expose('control', inside.uiPort, options.uiPort);
    const server = new TemporalServer(lab, { port, uiPort });
    await server.startAgain();
    return server;
  }

  /** The one that was started in this lab, by whichever process. */
  static attach(lab: Lab): TemporalServer {
    const known = lab.state.temporal;
    if (known === undefined) throw new LabError(`no Temporal server was started in the lab ${lab.state.name}`);
    const server = new TemporalServer(lab, known);
    server.#process = known.process;
    return server;
  }

  isRunning(): boolean {
    return this.#process !== undefined && isAlive(this.#process);
  }

  async startAgain(): Promise<void> {
    if (this.isRunning()) return;
    const log = openSync(path.join(this.#lab.folder, 'run', 'temporal.log'), 'a');
    const database = path.join(this.#lab.folder, 'run', 'temporal.db');
    const child = this.#lab.control.spawn([temporalCli(), ...serverArguments(database, inside)], {
      env: plainEnvironment,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.unref();
    this.#process = child.pid === undefined ? undefined : mark(child.pid);
    if (this.#process === undefined) throw new LabError('the Temporal server did not start');
    this.#lab.change({
      processes: [...this.#lab.state.processes.filter(isAlive), this.#process],
      temporal: { ...this.#ports, process: this.#process },
    });
    await this.#answers();
  }

  /** SIGKILL: what a crash leaves is what the file holds. */
  async kill(): Promise<void> {
    if (this.#process !== undefined) await end([this.#process]);
  }

  async #answers(): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const asked = await run(
        [
          'nsenter',
          `--net=/run/netns/${this.#lab.control.namespace}`,
          '--',
          temporalCli(),
          'operator',
          'namespace',
          'describe',
          'default',
          '--address',
          this.insideAddress,
        ],
        { timeoutMs: 10_000 },
        // An asker that hangs has no answer yet.
      ).catch(() => undefined);
      if (asked?.exitCode === 0) return;
      if (!this.isRunning() || performance.now() > deadline) {
        const said = await must(['tail', '-n', '15', path.join(this.#lab.folder, 'run', 'temporal.log')]);
        throw new LabError(`the Temporal server in ${this.#lab.control.namespace} does not answer:\n${said}`);
      }
    }
  }
}

/** A development server with the settings of every lab: its state in the file `database`. */
export function serverArguments(database: string, { port, uiPort }: Ports): readonly string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--ui-ip', '127.0.0.1'],
    ...['--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', database],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--log-level', 'error'],
    ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="50ms"'],
    ...['--dynamic-config-value', 'history.defaultWorkflowTaskTimeout="1s"'],
    ...attributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

/** TEMPORAL_CLI, then the copy that set-up keeps in the project, then the one on PATH. */
export function temporalCli(): string {
  const named = process.env['TEMPORAL_CLI'];
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, 'temporal'));
  const places = [path.join(projectFolder, '.cache', 'temporal', 'bin', 'temporal'), ...onPath];
  const found = named ?? places.find((place) => existsSync(place));
  if (found !== undefined && existsSync(found)) return found;
  throw new LabError(
    `the Temporal CLI is not at ${named ?? places[0] ?? ''}; no server was started. Run npm run setup, or set TEMPORAL_CLI.`,
  );
}
