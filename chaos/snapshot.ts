import type { Lab } from '../lab/lab.ts';
import { replicaStatus } from './invariants.ts';

const RECORDS = ['owner', 'epoch', 'primary', 'sync', 'fenced'];
const VARIABLES = ['read_only', 'event_scheduler', 'rpl_semi_sync_master_enabled', 'rpl_semi_sync_slave_enabled'];
const CHANNEL = ['Master_Host', 'Slave_IO_Running', 'Slave_SQL_Running', 'Using_Gtid', 'Until_Condition'];

/** What an order could have changed on one host, one line each; nothing that moves by itself. */
async function linesOf(lab: Lab, name: string): Promise<readonly string[]> {
  const host = lab.host(name);
  if (!host.isOn()) return ['off'];
  const records = RECORDS.map(
    (record) => `printf '${record}: '; cat /var/lib/standfast/${record} 2>/dev/null || echo none`,
  );
  const outside = [
    ...records,
    "printf 'role: '; cat /run/standfast/role 2>/dev/null || echo none",
    `ip -o addr show dev eth0 | grep -c ' ${lab.vip}/' | sed 's/^/vip: /'`,
    "nft list ruleset | grep -c standfast | sed 's/^/rules: /'",
    "grep -c standfast-job- ~standfast/.ssh/authorized_keys | sed 's/^/copy keys: /'",
  ];
  const seen = (await host.exec(['sh', '-c', outside.join('\n')])).stdout.trim().split('\n');
  if (host.processes('mariadbd').length === 0) return [...seen, 'server: stopped'];
  const [values = []] = await host.sql(`SELECT ${VARIABLES.map((one) => `@@GLOBAL.${one}`).join(', ')}`);
  const channel = await replicaStatus(lab, name);
  return [
    ...seen,
    ...VARIABLES.map((variable, index) => `${variable}: ${values[index] ?? ''}`),
    ...CHANNEL.map((field) => `${field}: ${channel.get(field) ?? 'none'}`),
  ];
}

/** The whole cluster: records, roles, VIP, replication, acknowledgement, fences. */
export async function snapshot(lab: Lab): Promise<readonly string[]> {
  const lists = await Promise.all(
    lab.hosts.map(async ({ name }) => (await linesOf(lab, name)).map((line) => `${name} ${line}`)),
  );
  return lists.flat();
}
