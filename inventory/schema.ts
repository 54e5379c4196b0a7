import * as z from 'zod';
import {
  absolutePath,
  account,
  command,
  country,
  duration,
  ipv4,
  name,
  port,
  secret,
  text,
  vipAddress,
  whole,
} from './schema-leaves.ts';
import { policy } from './schema-policy.ts';

// One description of standfast.yaml: validation, the JSON Schema for editors and the reference page come from it.

const site = z
  .strictObject(
    { country: country.meta({ description: 'Country of the site; the placement policy is checked against it' }) },
    'a site: { country: NO }',
  )
  .meta({ description: 'A place that can fail as one' });

const host = z.strictObject(
  {
    address: ipv4.meta({ description: 'Address of the host itself, never the VIP' }),
    site: name.meta({ description: 'One of `sites`' }),
    rank: whole({ from: 0, to: 1000 })
      .default(100)
      .meta({ description: 'Among equal candidates the higher rank is promoted, then the name that sorts first' }),
    promotable: z.boolean('true or false').default(true).meta({
      description:
        'Whether a failover may make it the primary; `false` for one where the VIP cannot be, such as a host at a distant site',
    }),
    serverId: whole({ from: 1, to: 4294967295 }).optional().meta({
      description: '`server_id` of its server, as it is; by default the place of the host in this list, from 1',
    }),
    port: port.default(3306).meta({ description: 'Port of the database server' }),
    sshPort: port.default(22).meta({ description: 'Port of sshd' }),
  },
  'a host: { address: 10.0.0.1, site: … }',
);

const witness = z.strictObject(
  {
    address: ipv4.meta({ description: 'Address of the witness' }),
    sshPort: port.default(22).meta({ description: 'Port of sshd' }),
  },
  'a witness: { address: 10.0.0.9 }',
);

const vip = z.strictObject(
  {
    address: vipAddress.meta({ description: 'The floating address, with its prefix' }),
    interface: text('the name of a network interface, such as eth0', /^[A-Za-z0-9._-]{1,15}$/).meta({
      description: 'Interface that holds it, the same on every host',
    }),
    routerId: whole({ from: 1, to: 255 }).optional().meta({
      description: 'VRRP router ID, which the driver `keepalived` needs; nobody else on this network may use it',
    }),
    driver: z.enum(['keepalived', 'direct'], 'keepalived or direct').default('keepalived').meta({
      description:
        '`keepalived`: it adopts the address and announces it again and again; `direct`: the host helper alone, for networks without VRRP',
    }),
  },
  'the VIP: { address: 192.168.10.50/24, interface: eth0, routerId: 51 }',
);

const replication = z.strictObject(
  {
    mode: z.enum(['semisync', 'async'], 'semisync or async').default('semisync').meta({
      description: '`semisync`: an acknowledged write is on a replica too (lossless); `async`: it may be lost',
    }),
    databases: z
      .array(text('a database name', /^[A-Za-z0-9_$-]{1,64}$/), 'a list of database names')
      .min(1, 'at least one database name, or no list at all')
      .optional()
      .meta({
        description:
          'Without effect: every database but the system ones is replicated, and compared by checksum. Accepted in inventories of earlier versions; leave it out',
      }),
    user: z
      .strictObject(
        {
          name: account.meta({ description: 'Account that replicas log in with' }),
          password: secret.meta({ description: 'Reference to its password' }),
        },
        'the replication account: { name: repl, password: file:/… }',
      )
      .meta({ description: 'The replication account' }),
  },
  'the section replication',
);

const fileset = z.strictObject(
  {
    path: text('an absolute path that ends with "/"', /^\/([^\p{Cc}]*[^/\p{Cc}])?\/$/u).meta({
      description: 'Folder, the same on every host',
    }),
    every: duration.default('5m').meta({ description: 'How often it is synchronised' }),
    marker: text('a file name that does not begin with ".standfast-"', /^(?!\.standfast-)(?!\.\.?$)[^/\p{Cc}]{1,255}$/u)
      .default('.standfast')
      .meta({ description: 'File that must be in the source, so that an unmounted folder deletes nothing' }),
    maxDelete: whole({ from: 0, to: 1_000_000_000 })
      .default(100)
      .meta({ description: 'A run that would delete more files and folders on a host stops' }),
    bandwidthKiBps: whole({ from: 0, to: 10_000_000 })
      .default(0)
      .meta({ description: 'Most KiB per second to each host; 0: no limit' }),
    compress: z
      .boolean('true or false')
      .default(false)
      .meta({ description: 'Whether files are compressed on their way; worth it between distant sites' }),
  },
  'a set of files: { path: /var/www/uploads/, every: 5m }',
);

const cluster = z.strictObject(
  {
    hosts: z
      .record(name, host, 'the database hosts, by name')
      .meta({ description: 'Database hosts, by name; at least one' }),
    witnesses: z
      .record(name, witness, 'witnesses, by name')
      .default({})
      .meta({ description: 'Hosts with only the host helper, which vote on who is primary (for two-host clusters)' }),
    vip: vip.meta({ description: 'The floating address of the primary' }),
    replication: replication.meta({ description: 'How the hosts replicate' }),
    policy: policy.prefault({}).meta({ description: 'What may be decided without asking' }),
    files: z
      .record(name, fileset, 'sets of files, by name')
      .default({})
      .meta({ description: 'Folders kept in step from the primary to the replicas' }),
    backup: z
      .strictObject(
        {
          path: absolutePath.meta({
            description: 'File or folder of the backups, on any of the database hosts; the newest file counts',
          }),
          within: duration.default('26h').meta({ description: 'How old the newest backup may be' }),
        },
        'the section backup: { path: /var/backups/mariadb }',
      )
      .optional()
      .meta({ description: 'Where an audit finds the backups; Standfast makes none' }),
    hooks: z
      .strictObject(
        {
          powerOff: command.optional().meta({
            description:
              'Command that powers a host off and exits 0 only when it is off; `{host}`, `{address}` and `{cluster}` are replaced',
          }),
        },
        'the section hooks',
      )
      .prefault({})
      .meta({ description: 'Commands run on the worker, without a shell' }),
  },
  'a cluster: { hosts: …, vip: …, replication: … }',
);

const access = z.strictObject(
  {
    ssh: z
      .strictObject(
        {
          user: account.meta({ description: 'Account on every host, allowed to run the host helper alone' }),
          key: secret.meta({ description: 'Reference to its private key' }),
          knownHosts: absolutePath.meta({
            description: 'File with the pinned host keys; an unknown key is never accepted',
          }),
        },
        'the section ssh: { user: …, key: file:/…, knownHosts: /… }',
      )
      .meta({ description: 'How to reach the hosts' }),
    sql: z
      .strictObject(
        {
          user: account.meta({ description: 'Operation account on every server' }),
          password: secret.meta({ description: 'Reference to its password' }),
        },
        'the section sql: { user: …, password: file:/… }',
      )
      .meta({ description: 'How to reach the servers' }),
  },
  'the section access: { ssh: …, sql: … }',
);

export const inventorySchema = z
  .strictObject(
    {
      sites: z.record(name, site, 'sites, by name').meta({ description: 'Places, by name' }),
      clusters: z.record(name, cluster, 'clusters, by name').meta({ description: 'Clusters, by name' }),
      access: access.meta({ description: 'Accounts that the worker uses' }),
    },
    'the sections sites, clusters and access',
  )
  .meta({ title: 'standfast.yaml', description: 'Inventory of Standfast' });

export type RawInventory = z.infer<typeof inventorySchema>;
export type RawCluster = RawInventory['clusters'][string];
