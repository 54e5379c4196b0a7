import type { HostName } from '../../../domain/cluster.ts';
import type { Channel, Database } from './database.ts';

export interface Network {
  readonly databases: ReadonlyMap<HostName, Database>;
  readonly connects: (from: HostName, to: HostName) => boolean;
}

/** Replication goes on for a moment: what a source has arrives, what arrived is applied, what was acknowledged is no longer waited for. */
export function moveReplication(network: Network): void {
  const databases = [...network.databases.values()];
  for (const source of databases) source.letClientsIn();
  for (const replica of databases) {
    if (replica.process === 'running') applyTail(replica);
    const { channel } = replica;
    if (channel === null || replica.process !== 'running') continue;
    receive(network, replica, channel);
    apply(replica, channel);
  }
  for (const source of databases) settleAcknowledgements(source, databases);
}

function receive(network: Network, replica: Database, channel: Channel): void {
  const source = network.databases.get(channel.source);
  channel.isLinked = false;
  if (source === undefined || channel.receiver === 'stopped') return;
  const answers = source.process === 'running' && network.connects(replica.host.name, source.host.name);
  if (!answers || source.isPortShut) {
    // A dead server resets the connection; one that hangs or is cut off is only not heard any more.
    if (source.process === 'stopped' || source.isPortShut) channel.receiver = 'connecting';
    channel.heardAt = performance.now();
    return;
  }
  const last = replica.applied.at(-1);
  if (last !== undefined && !source.has(last)) {
    channel.receiver = 'stopped';
    channel.receiverErrno = 1236;
    return;
  }
  if (channel.receiver === 'connecting' && source.isFull) {
    channel.receiverErrno = 1040;
    return;
  }
  channel.receiverErrno = 0;
  if (channel.receiver === 'connecting') channel.heardAt = performance.now();
  channel.receiver = 'running';
  channel.isLinked = true;
  channel.holdsSource = true;
  const periodMs = 1_000 * channel.heartbeatSeconds;
  const beats = periodMs === 0 ? 0 : Math.floor((performance.now() - channel.heardAt) / periodMs);
  channel.heartbeats += beats;
  channel.heardAt += beats * periodMs;
  channel.read = source.binlog.length;
  for (const gtid of source.binlog)
    if (!replica.has(gtid) && !channel.relay.includes(gtid) && takes(replica, gtid)) channel.relay.push(gtid);
}

/** What bears its own number is passed over, unless it acknowledges. Measured on 10.11. */
const takes = ({ host, semiSync }: Database, gtid: string): boolean =>
  semiSync.replicaEnabled || !gtid.startsWith(`0-${String(host.serverId)}-`);

function apply(replica: Database, channel: Channel): void {
  if (channel.applier !== 'running' || channel.applierErrno !== 0) return;
  for (const gtid of channel.relay.splice(0, replica.applierPace)) {
    replica.binlog.push(gtid);
    replica.applied.push(gtid);
  }
}

function applyTail(replica: Database): void {
  const { tail } = replica;
  if (tail?.applier !== 'running' || tail.errno !== 0) return;
  for (const gtid of tail.gtids.splice(0)) {
    replica.binlog.push(gtid);
    replica.applied.push(gtid);
  }
}

function settleAcknowledgements(source: Database, databases: readonly Database[]): void {
  const attached = databases.filter(
    ({ channel, process }) =>
      process === 'running' &&
      channel?.source === source.host.name &&
      channel.receiver === 'running' &&
      channel.isLinked &&
      source.serves,
  );
  const ackers = attached.filter(({ channel }) => channel?.acknowledges === true);
  source.attached = [...new Set([...attached.map(({ host }) => host), ...source.ghosts])];
  source.clients = ackers.length;
  if (!source.serves) return;
  for (const gtid of source.pending)
    if (
      !source.semiSync.waits ||
      ackers.some((acker) => acker.has(gtid) || acker.channel?.relay.includes(gtid) === true)
    ) {
      source.pending.delete(gtid);
      source.acknowledgedCommits += 1;
    }
}
