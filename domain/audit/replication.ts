import { namesOfOthers } from '../channels.ts';
import { saysSomething } from '../hearing.ts';
import { CLOSE_WRITER } from '../remedies.ts';
import type { Rule } from './rule.ts';
import { eachByRole, eachReplica, eachServer, ruled, SERVER, unless, withSeen, withSetting } from './rule.ts';

/** A dead link is noticed after so long; heartbeats come much more often. */
const LONGEST_SILENCE_SECONDS = 10;
/** The least `policy.watch.silence`. */
const LEAST_SILENCE_MS = 300;

/** How a replica receives, keeps and applies, and what keeps it closed. */
export const REPLICATION_RULES: readonly Rule[] = [
  {
    code: 'ReplicaOpen',
    group: 'servers',
    severity: 'bad',
    looksAt: '`read_only` of every server but the primary',
    why: 'a write on a replica is on no other server, and after a failover two servers have written',
    fix: CLOSE_WRITER,
    judge: eachByRole(({ server: { status } }, isPrimary) =>
      unless(isPrimary || status.readOnly, { found: 'read_only=OFF', expected: 'read_only=ON' }),
    ),
  },
  {
    code: 'FollowsNobody',
    group: 'servers',
    severity: 'bad',
    looksAt: 'the replication channel of every server but the primary',
    why: 'it gets nothing of what is written, so it can stand in for nobody',
    fix: 'standfast rejoin CLUSTER HOST, or standfast provision when it never held the data',
    judge: eachByRole(({ server: { status } }, isPrimary) =>
      unless(isPrimary || status.replication !== null, {
        found: 'no replication channel',
        expected: 'it follows the primary',
      }),
    ),
  },
  {
    code: 'FollowsAnother',
    group: 'servers',
    severity: 'bad',
    looksAt: 'whom every replica follows',
    why: 'it gets what another server writes, and a failover does not count on it',
    fix: 'standfast rejoin CLUSTER HOST',
    judge: eachReplica(({ host, server: { status }, facts }) =>
      withSeen(facts.primary, 'who is primary', (primary) => {
        const source = status.replication?.source ?? null;
        return unless(host === primary || source === primary, {
          found: `it follows ${source ?? 'a server that is not of the cluster'}`,
          expected: `it follows ${primary}`,
        });
      }),
    ),
  },
  {
    code: 'ForeignChannel',
    group: 'servers',
    severity: 'bad',
    looksAt: 'every named replication channel of every server, running or stopped',
    why: 'a failover stops the channel of the cluster and no other: through that one a server acknowledges for a primary that was deposed, or takes writes from elsewhere when it is primary itself; it is not promoted, and counts for nothing',
    fix: "once all that it received is applied or not needed: STOP SLAVE 'NAME'; RESET SLAVE 'NAME' ALL on HOST",
    judge: eachServer(({ server: { status } }) => {
      const names = namesOfOthers(status);
      return names === null ? null : { found: names, expected: 'the default channel alone, which has no name' };
    }),
  },
  {
    code: 'ReplicationStopped',
    group: 'servers',
    severity: 'bad',
    looksAt: 'both threads of every replica',
    why: 'it falls behind with every write, and `Seconds_Behind_Master` does not say so',
    fix: 'standfast verify CLUSTER names the cause and how to go on; never stop the receiving thread first',
    judge: eachReplica(({ server: { status } }) => {
      const { receiver = 'stopped', applier = 'stopped' } = status.replication ?? {};
      return unless(receiver === 'running' && applier === 'running', {
        found: `receiver ${receiver}, applier ${applier}`,
        expected: 'both running',
      });
    }),
  },
  {
    code: 'PositionsNotGtid',
    group: 'servers',
    severity: 'bad',
    looksAt: '`Using_Gtid` of every replica',
    why: 'file and position mean nothing on another server: after a failover somebody has to work out by hand where each replica goes on',
    fix: 'provision HOST again (docs/audit.md, Rules): first standfast acker remove CLUSTER HOST; MASTER_USE_GTID=slave_pos on it would keep whatever differs in its data',
    judge: eachReplica(({ server: { status } }) =>
      unless(status.replication?.usesGtid === true, {
        found: 'file and position',
        expected: 'MASTER_USE_GTID=slave_pos',
      }),
    ),
  },
  {
    code: 'GtidNotStrict',
    group: 'servers',
    severity: 'warn',
    looksAt: '`gtid_strict_mode`',
    why: 'a transaction that the primary never had hides in the order of the others instead of stopping the replica',
    fix: 'SET GLOBAL gtid_strict_mode=1 on HOST, and put it into its configuration',
    judge: eachServer(({ server: { status } }) =>
      unless(status.gtidStrictMode, { found: 'gtid_strict_mode=OFF', expected: 'gtid_strict_mode=ON' }),
    ),
  },
  {
    code: 'DelayedReplica',
    group: 'servers',
    severity: 'warn',
    looksAt: '`MASTER_DELAY`',
    why: 'a replica that waits on purpose is not elected, and does not count as a standby',
    fix: 'while the primary serves: standfast acker remove CLUSTER HOST; on HOST: STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=0; START SLAVE; when it has caught up, standfast acker add CLUSTER HOST. Or keep another replica as the standby',
    judge: eachReplica(({ server: { status } }) => {
      const delay = status.replication?.delaySeconds ?? 0;
      return unless(delay === 0, { found: `${String(delay)} s behind on purpose`, expected: 'no delay' });
    }),
  },
  {
    code: 'BinlogEncrypted',
    group: 'servers',
    severity: 'bad',
    looksAt: '`encrypt_binlog`',
    why: 'its binary log and its relay logs can be read by nobody but itself: what only a dead primary has is lost, and a replica with encrypted relay logs counts for nothing in a failover',
    fix: 'take encrypt_binlog out of the configuration of HOST and restart it; encrypt the disk under its logs instead',
    judge: eachServer(({ server: { status } }) =>
      unless(status.binlog.encrypted !== true, { found: 'encrypt_binlog=ON', expected: 'encrypt_binlog=OFF' }),
    ),
  },
  {
    code: 'RelayLogRecovery',
    group: 'servers',
    severity: 'bad',
    looksAt: '`relay_log_recovery`',
    why: 'at a start it deletes what was received and not applied yet; with a dead primary that may be the only copy of acknowledged writes',
    fix: 'put relay_log_recovery=0 into the configuration of HOST, and restart it while its primary lives',
    judge: eachServer(({ server: { settings } }) =>
      withSetting(settings, 'relay_log_recovery', (value) =>
        unless(value === 'OFF', { found: `relay_log_recovery=${value}`, expected: 'relay_log_recovery=OFF' }),
      ),
    ),
  },
  {
    code: 'RelayLogsKept',
    group: 'servers',
    severity: 'warn',
    looksAt: '`relay_log_purge`',
    why: 'relay logs that were applied are never removed, until the disk is full',
    fix: 'SET GLOBAL relay_log_purge=1 on HOST, and take relay_log_purge out of its configuration',
    judge: eachServer(({ server: { settings } }) =>
      withSetting(settings, 'relay_log_purge', (value) =>
        unless(value === 'ON', { found: `relay_log_purge=${value}`, expected: 'relay_log_purge=ON' }),
      ),
    ),
  },
  {
    code: 'DeadLinkUnnoticed',
    group: 'servers',
    severity: 'warn',
    looksAt: '`slave_net_timeout`',
    why: 'on a dead link the receiver says `Yes` for so long, and writes that wait for its acknowledgement wait as well',
    fix: 'SET GLOBAL slave_net_timeout=4 on HOST, and put it into its configuration; then, with its SQL thread running: STOP SLAVE IO_THREAD; START SLAVE IO_THREAD. Where HeartbeatsRare is found too, mend that first',
    judge: eachServer(({ server: { settings } }) =>
      withSetting(settings, 'slave_net_timeout', (seconds) =>
        unless(Number(seconds) <= LONGEST_SILENCE_SECONDS, {
          found: `slave_net_timeout=${seconds}`,
          expected: `at most ${String(LONGEST_SILENCE_SECONDS)} s`,
        }),
      ),
    ),
  },
  {
    code: 'HeartbeatsRare',
    group: 'servers',
    severity: 'warn',
    looksAt: '`Slave_heartbeat_period` of every replica',
    why: 'its receiver says nothing of a primary that is silent until a heartbeat is overdue, so a failover asks its host instead, which takes a second more; a helper that cannot look keeps it from failing over',
    fix: 'while the primary serves: standfast acker remove CLUSTER HOST; on HOST: STOP SLAVE; CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD=0.1; START SLAVE; when it has caught up, standfast acker add CLUSTER HOST',
    judge: eachReplica(({ server: { status } }) => {
      const { replication } = status;
      return unless(replication === null || saysSomething(replication, LEAST_SILENCE_MS), {
        found: `MASTER_HEARTBEAT_PERIOD=${String(replication?.heartbeatPeriodSeconds)}`,
        expected: 'MASTER_HEARTBEAT_PERIOD=0.1, as standfast provision sets it',
      });
    }),
  },
  {
    code: 'DeadlockStops',
    group: 'servers',
    severity: 'warn',
    looksAt: '`slave_transaction_retries`',
    why: 'one deadlock with a long read stops the applier until a person starts it',
    fix: 'SET GLOBAL slave_transaction_retries=10 on HOST, and put it into its configuration',
    judge: eachServer(({ server: { settings } }) =>
      withSetting(settings, 'slave_transaction_retries', (value) =>
        unless(value !== '0', { found: 'slave_transaction_retries=0', expected: 'at least a few' }),
      ),
    ),
  },
  {
    code: 'ReceiverGivesUp',
    group: 'servers',
    severity: 'warn',
    looksAt: '`MASTER_CONNECT_RETRY` × `master_retry_count` against `policy.continuity.outage`',
    why: 'after so many tries the receiver stops for good, and does not come back with its primary',
    fix: 'put a higher master_retry_count into the configuration of HOST and restart it',
    judge: (facts) =>
      facts.hosts
        .filter(({ isDatabase }) => isDatabase)
        .map(({ host, server, nextStart }) =>
          ruled(
            host,
            withSeen(server, SERVER, ({ connection: { retrySeconds } }) =>
              retrySeconds === null
                ? null
                : withSeen(nextStart, 'the settings in its files', ({ settings }) =>
                    withSetting(settings, 'master_retry_count', (count) => {
                      const tries = Number(count);
                      return unless(tries === 0 || tries * retrySeconds >= facts.declared.outageSeconds, {
                        found: `it gives up after ${String(tries)} tries, one every ${String(retrySeconds)} s`,
                        expected: `tries for at least ${String(facts.declared.outageSeconds)} s`,
                      });
                    }),
                  ),
            ),
          ),
        ),
  },
];
