import type { Lab } from './lab.ts';
import { LabError } from './run.ts';

export interface Comparison {
  readonly servers: readonly string[];
  readonly tables: number;
  readonly differing: readonly string[];
}

const CATCH_UP_SECONDS = 60;
const CHECKSUM_MS = 120_000;

/** Every table of the applications on every server, after the replicas have applied all that the primary has. Nobody may be writing. */
export async function compareServers(lab: Lab, primary: string, servers: readonly string[]): Promise<Comparison> {
  const [[position = ''] = []] = await lab.host(primary).sql('SELECT @@GLOBAL.gtid_binlog_pos');
  const listed = await lab.host(primary).sql(
    `SELECT CONCAT('\`', TABLE_SCHEMA, '\`.\`', TABLE_NAME, '\`') FROM information_schema.TABLES
     WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`,
  );
  const tables = listed.map(([name = '']) => name);
  const sums = await Promise.all(
    servers.map(async (server) => {
      const wait = `SELECT MASTER_GTID_WAIT('${position}', ${String(CATCH_UP_SECONDS)})`;
      const [[reached = ''] = []] =
        server === primary ? [['0']] : await lab.host(server).sql(wait, { timeoutMs: CHECKSUM_MS });
      if (reached !== '0')
        throw new LabError(`${server} did not reach ${position} within ${String(CATCH_UP_SECONDS)} s`);
      const rows = await lab
        .host(server)
        .sql(`CHECKSUM TABLE ${tables.join(', ')} EXTENDED`, { timeoutMs: CHECKSUM_MS });
      return new Map(rows.map(([table = '', sum = '']) => [table, sum]));
    }),
  );
  const [first = new Map<string, string>(), ...others] = sums;
  const differing = [...first].filter(([table, sum]) => others.some((other) => other.get(table) !== sum));
  return { servers, tables: first.size, differing: differing.map(([table]) => table) };
}
