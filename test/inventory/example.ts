/** A complete document; the tests change one thing at a time. */
export const EXAMPLE = `sites:
  oslo-a: { country: NO }
  oslo-b: { country: NO }
clusters:
  shop:
    hosts:
      db1: { address: 10.0.0.1, site: oslo-a, rank: 101 }
      db2: { address: 10.0.0.2, site: oslo-b, rank: 100 }
    vip: { address: 192.168.10.50/24, interface: eth0, routerId: 51, driver: keepalived }
    replication: { mode: semisync, user: { name: repl, password: file:/etc/standfast/repl } }
    policy:
      failover: { automatic: true, fence: [ssh, powerOff], cooldown: 10m, maxLostTransactions: 0 }
      placement: { countries: [NO] }
      lag: { warn: 1s, fail: 10s }
    files:
      uploads: { path: /var/www/html/uploads/, every: 5m, marker: .standfast, maxDelete: 100 }
    hooks: { powerOff: [/etc/standfast/power, off, "{host}"] }
access:
  ssh: { user: standfast, key: file:/etc/standfast/ssh_key, knownHosts: /etc/standfast/known_hosts }
  sql: { user: standfast, password: file:/etc/standfast/sql }
`;

export function changed(from: string, to: string): string {
  if (!EXAMPLE.includes(from)) throw new Error(`the example has no ${from}`);
  return EXAMPLE.replace(from, to);
}
