import type { ChildProcess } from 'node:child_process';
import { passwordOf } from './lab-files.ts';
import type { Lab } from './lab.ts';
import { addressOf } from './network.ts';
import { until } from './run.ts';

const INSERT = 'INSERT INTO shop.crowd';

export interface Wish {
  readonly host: string;
  readonly size: number;
  /** `network`: at the host's own address. */
  readonly over: 'socket' | 'network';
  /** It ends by itself when nobody ends it. */
  readonly forSeconds: number;
}

/** An application that wants more connections of a server than there are: each client writes a row, over and over, and comes back twice as often as a receiver. */
export class Crowd {
  readonly #lab: Lab;
  readonly #host: string;
  readonly #clients: readonly ChildProcess[];

  private constructor(lab: Lab, host: string, clients: readonly ChildProcess[]) {
    this.#lab = lab;
    this.#host = host;
    this.#clients = clients;
  }

  /** Their rows go to `shop.crowd`, which has to be there. */
  static gather(lab: Lab, { host, size, over, forSeconds }: Wish): Crowd {
    const door = over === 'socket' ? [] : ['-h', addressOf(lab.state, host)];
    const script = `while ((SECONDS < ${String(forSeconds)})); do mariadb -uapp -e "${INSERT} () VALUES ()" "$@"; sleep 0.4; done`;
    const env = { MYSQL_PWD: passwordOf(lab.state, 'app'), PATH: '/usr/bin:/bin' };
    const gathered = Array.from({ length: size }, () =>
      lab.host(host).spawn(['bash', '-c', script, 'crowd', ...door], { stdio: 'ignore', env }),
    );
    return new Crowd(lab, host, gathered);
  }

  disperse(): void {
    for (const client of this.#clients) client.kill('SIGKILL');
  }

  /** Dispersed, and none of its writes is under way any more. */
  async gone(): Promise<void> {
    this.disperse();
    const writes = `SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '${INSERT}%'`;
    await until('the last write of the crowd', async () => {
      const rows = await this.#lab.host(this.#host).sql(writes);
      return rows.length === 0 ? true : undefined;
    });
  }
}

/**
 * Both replicas of `db1` are away for a moment, and come back to a primary whose connections all wait for them. @returns when their receivers are refused for want of
 * a connection (1040); nothing moves any more then.
 */
export async function lockAckersOut(lab: Lab, { most, ...wish }: Wish & { readonly most: number }): Promise<Crowd> {
  const [primary, ackers] = [lab.host('db1'), ['db2', 'db3'].map((name) => lab.host(name))];
  await primary.sql('CREATE TABLE IF NOT EXISTS shop.crowd (id BIGINT AUTO_INCREMENT PRIMARY KEY)');
  await primary.sql(`SET GLOBAL max_connections = ${String(most)}`);
  await Promise.all(ackers.map((host) => host.sql('STOP SLAVE IO_THREAD')));
  // A connection that ends later would leave its place to whoever comes first.
  const dumps = "SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'";
  await until('no receiver that is connected', async () =>
    (await primary.sql(dumps)).length === 0 ? true : undefined,
  );
  const crowd = Crowd.gather(lab, wish);
  // Whoever asks is in the place that a full server keeps for an administrator.
  const full =
    "SELECT VARIABLE_VALUE > @@GLOBAL.max_connections FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED'";
  await until('a full server', async () => {
    const { stdout } = await primary.exec(['mariadb', '-N', '-e', full]);
    return stdout.trim() === '1' ? true : undefined;
  });
  await Promise.all(ackers.map((host) => host.sql('START SLAVE IO_THREAD')));
  await until('ackers that are refused', async () => {
    const states = await Promise.all(ackers.map((host) => host.exec(['mariadb', '-e', 'SHOW SLAVE STATUS\\G'])));
    return states.every(({ stdout }) => stdout.includes('Last_IO_Errno: 1040')) ? true : undefined;
  });
  return crowd;
}
