import type { HostFacts, NextStart, ServerFacts, Settings } from './facts.ts';
import type { Judgement, Rule, Ruling } from './rule.ts';
import { databases, ruled, SERVER, unless, withSeen } from './rule.ts';
import type { AuditFacts } from './facts.ts';

const FILES = 'the settings in its files';

/** A member boots closed, and acknowledges nothing until an operation has looked: these differ from what runs on purpose. */
const CHANGED_ON_PURPOSE = [
  'read_only',
  'event_scheduler',
  'rpl_semi_sync_slave_enabled',
  'rpl_semi_sync_master_enabled',
  'skip_slave_start',
  'master_retry_count',
];

const eachNextStart =
  (judge: (next: NextStart, entry: HostFacts, facts: AuditFacts) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    databases(facts).map((entry) =>
      ruled(
        entry.host,
        withSeen(entry.nextStart, FILES, (next) => judge(next, entry, facts)),
      ),
    );

const beside = (entry: HostFacts, judge: (server: ServerFacts) => Judgement): Judgement =>
  withSeen(entry.server, SERVER, judge);

const differences = (running: Settings, next: Settings): readonly string[] =>
  Object.entries(running).flatMap(([name, value]) => {
    const then = next[name];
    // Asked of the program by the same names, so it lists each that the server has, unless it is of another version.
    if (then === undefined) return [`${name}=${value} is not known to the installed program`];
    if (CHANGED_ON_PURPOSE.includes(name) || isSame(value, then)) return [];
    return [`${name}=${value} becomes ${then === '' ? 'unset' : then}`];
  });

const isSame = (one: string, other: string): boolean =>
  one.toUpperCase() === other.toUpperCase() || (one !== '' && other !== '' && Number(one) === Number(other));

/** What a server has now, against what it will have when it is started again. */
export const RESTART_RULES: readonly Rule[] = [
  {
    code: 'WouldNotStart',
    group: 'file against running',
    severity: 'bad',
    looksAt: 'what the program of the server says of the files it would read',
    why: 'the server is gone with its next restart, and stays gone',
    fix: 'correct the file on HOST: mariadbd --verbose --help names the line',
    judge: eachNextStart(({ errors }) =>
      unless(errors.length === 0, { found: errors.join('; '), expected: 'settings that are accepted' }),
    ),
  },
  {
    code: 'BootsOpen',
    group: 'file against running',
    severity: 'bad',
    looksAt: '`read_only` in the files of every member',
    why: 'a host that comes back after a failover accepts writes beside the new primary',
    fix: 'standfast prepare CLUSTER PRIMARY writes the drop-in that keeps a member closed. Remove what is read after it',
    judge: eachNextStart(({ settings }) =>
      unless(settings['read_only'] === 'ON', {
        found: `read_only=${settings['read_only'] ?? 'unset'} at the next start`,
        expected: 'read_only=ON',
      }),
    ),
  },
  {
    code: 'BootsWithEvents',
    group: 'file against running',
    severity: 'bad',
    looksAt: '`event_scheduler` in the files of every member',
    why: 'events write even before anybody has decided who is primary',
    fix: 'standfast prepare CLUSTER PRIMARY writes event_scheduler=OFF; remove what is read after it',
    judge: eachNextStart(({ settings }) =>
      unless(settings['event_scheduler'] === 'OFF' || settings['event_scheduler'] === 'DISABLED', {
        found: `event_scheduler=${settings['event_scheduler'] ?? 'unset'} at the next start`,
        expected: 'event_scheduler=OFF',
      }),
    ),
  },
  {
    code: 'BootsReplicating',
    group: 'file against running',
    severity: 'warn',
    looksAt: '`skip_slave_start` in the files of every member',
    why: 'a host that was away follows whatever it followed before, and throws its relay logs away when that does not answer',
    fix: 'standfast prepare CLUSTER PRIMARY writes skip_slave_start=1',
    judge: eachNextStart(({ settings }) =>
      unless(settings['skip_slave_start'] === 'ON', {
        found: 'replication starts with the server',
        expected: 'skip_slave_start=1',
      }),
    ),
  },
  {
    code: 'ChangesAtRestart',
    group: 'file against running',
    severity: 'warn',
    looksAt: 'running values against the files, except for what boots closed on purpose',
    why: 'what was set by hand is gone after the next restart, usually in the night',
    fix: 'write into the configuration of HOST what it is to have, or set the running value to what stands there',
    judge: eachNextStart((next, entry) =>
      beside(entry, ({ settings }) => {
        const changes = differences(settings, next.settings);
        return unless(changes.length === 0, { found: changes.join('; '), expected: 'the same after a restart' });
      }),
    ),
  },
  {
    code: 'FilterAtRestart',
    group: 'file against running',
    severity: 'bad',
    looksAt: '`binlog_*` and `replicate_*` filters in the files of every member',
    why: 'from the next restart on the filter drops writes without a word',
    fix: 'take the filter out of the configuration of HOST',
    judge: eachNextStart(({ filters }) =>
      unless(filters.length === 0, { found: filters.join('; '), expected: 'no filter' }),
    ),
  },
];
