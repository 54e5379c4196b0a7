import type { FileMode, HostFacts } from './facts.ts';
import type { Judgement, MachineCase, Rule } from './rule.ts';
import { eachMachine, ruled, unless, withSeen } from './rule.ts';

const SUDO_RULE = '(root) NOPASSWD: /usr/local/sbin/standfast-host';
const CLOCK_LIMIT_MS = 500;

const octal = ({ mode }: FileMode): number => Number.parseInt(mode, 8);
const othersMay = (file: FileMode): boolean => (octal(file) & 0o007) !== 0;
const strangersWrite = (file: FileMode): boolean => (octal(file) & 0o022) !== 0 || file.owner !== 'root';

/** Trusted with root: nobody else may change them. */
const OF_ROOT = /^\/(usr\/local\/sbin\/standfast-host|etc\/sudoers\.d\/standfast|etc\/standfast\/|etc\/keepalived\/)/;
/** They hold a secret, or rows: nobody else may read them. */
const PRIVATE = /^\/(etc\/mysql\/debian\.cnf|etc\/ssh\/ssh_host_.*_key|var\/lib\/standfast$)|master[^/]*\.info$/;

function judgeModes({ machine, entry }: MachineCase): Judgement {
  const wrong = machine.modes.filter(
    (file) =>
      (OF_ROOT.test(file.path) && strangersWrite(file)) ||
      (PRIVATE.test(file.path) && othersMay(file)) ||
      (file.path.endsWith('/keepalived.conf') && hasPassword(entry) && othersMay(file)),
  );
  return unless(wrong.length === 0, {
    found: wrong.map(({ path, mode, owner }) => `${path} is ${mode}, of ${owner}`).join('; '),
    expected: 'secrets that only their owner reads, and what root runs changed by root alone',
  });
}

const hasPassword = ({ keepalived }: HostFacts): boolean =>
  keepalived.kind === 'seen' && keepalived.value.instances.some(({ passwordNumber }) => passwordNumber !== null);

/** Beside the clock that is farthest away. Both were read by this worker, each with its error. */
function judgeClock({ host, machine, facts }: MachineCase): Judgement {
  const apart = facts.hosts
    .flatMap((other) => {
      if (other.host === host || other.machine.kind === 'not-seen') return [];
      const { offsetMs, errorMs } = other.machine.value.clock;
      const ms = Math.abs(machine.clock.offsetMs - offsetMs);
      return [{ host: other.host, ms, surely: ms - machine.clock.errorMs - errorMs }];
    })
    .toSorted((one, other) => other.surely - one.surely)[0];
  return apart === undefined || apart.surely < CLOCK_LIMIT_MS
    ? null
    : {
        found: `${String(Math.round(apart.ms))} ms apart from ${apart.host}`,
        expected: `less than ${String(CLOCK_LIMIT_MS)} ms`,
      };
}

const judgeSshd =
  (name: string, isSafe: (value: string) => boolean, expected: string) =>
  ({ machine: { sshd } }: MachineCase): Judgement => {
    const value = sshd?.[name];
    if (value === undefined) return { unseen: "sshd's settings", why: '`sshd -T` does not say them' };
    return unless(isSafe(value), { found: `${name} ${value}`, expected });
  };

/** How Standfast, and others, get in. */
export const ACCESS_RULES: readonly Rule[] = [
  {
    code: 'HostKeyUnpinned',
    group: 'access',
    severity: 'bad',
    looksAt: '`access.ssh.knownHosts` for every member',
    why: 'an unknown key is never accepted, so nothing on this host can be looked at or fenced',
    fix: 'ssh-keyscan -t ed25519 HOST, compare it with what the host itself shows, and add it to the file',
    judge: (facts) =>
      facts.hosts.map(({ host, pinnedKeys }) =>
        ruled(
          host,
          withSeen(pinnedKeys, 'the file of pinned keys', (count) =>
            unless(count > 0, { found: 'no key is pinned', expected: 'at least one' }),
          ),
        ),
      ),
  },
  {
    code: 'HelperOther',
    group: 'access',
    severity: 'warn',
    looksAt: '`standfast-host hello` against the helper of the worker',
    why: 'the next order brings it to this version first, which costs time when there is none',
    fix: 'standfast prepare CLUSTER PRIMARY, or install.sh on HOST',
    judge: eachMachine(({ machine, facts }) =>
      unless(machine.helperVersion === facts.helperVersion, {
        found: `version ${machine.helperVersion}`,
        expected: `version ${facts.helperVersion}`,
      }),
    ),
  },
  {
    code: 'SudoRule',
    group: 'access',
    severity: 'bad',
    looksAt: '`sudo -l` of the account of Standfast',
    why: 'with less no order is carried out; with more whoever has the key is root',
    fix: 'run install.sh on HOST again, and remove other rules for the account',
    judge: eachMachine(({ machine: { sudo } }) => {
      if (sudo.length === 0)
        return { unseen: 'what sudo allows', why: '`sudo -l` does not say what the account may run' };
      return unless(sudo.length === 1 && sudo[0] === SUDO_RULE, { found: sudo.join('; '), expected: SUDO_RULE });
    }),
  },
  {
    code: 'AccountKeys',
    group: 'access',
    severity: 'bad',
    looksAt: '`authorized_keys` of the account of Standfast',
    why: 'a key without `restrict` opens tunnels and terminals on the database host',
    fix: 'run install.sh on HOST again with the one key that all workers share (access.ssh.key); any other one is removed',
    judge: eachMachine(({ machine: { unrestrictedKeys: count } }) =>
      count === null
        ? { unseen: 'its authorized_keys', why: 'the file is not there, or cannot be read' }
        : unless(count === 0, { found: `${String(count)} without restrict`, expected: 'restrict before every key' }),
    ),
  },
  {
    code: 'SshPasswords',
    group: 'access',
    severity: 'warn',
    looksAt: '`PasswordAuthentication` of sshd',
    why: 'a password can be guessed, and whoever is in can reach the data',
    fix: 'PasswordAuthentication no in sshd_config of HOST',
    judge: eachMachine(judgeSshd('passwordauthentication', (value) => value === 'no', 'passwordauthentication no')),
  },
  {
    code: 'SshRoot',
    group: 'access',
    severity: 'warn',
    looksAt: '`PermitRootLogin` of sshd',
    why: 'root with a password is the first thing that is tried',
    fix: 'PermitRootLogin prohibit-password, or no, in sshd_config of HOST',
    judge: eachMachine(
      judgeSshd('permitrootlogin', (value) => value !== 'yes', 'permitrootlogin prohibit-password, or no'),
    ),
  },
  {
    code: 'FileModes',
    group: 'access',
    severity: 'bad',
    looksAt:
      'modes of the helper, its records, the sudo rule, `master.info`, `debian.cnf`, host keys, and a `keepalived.conf` with a password',
    why: 'whoever can read a secret has it, and whoever can change what root runs is root',
    fix: 'chmod and chown on HOST what is named; install.sh mends what is its own',
    judge: eachMachine(judgeModes),
  },
  {
    code: 'ClocksDiffer',
    group: 'access',
    severity: 'warn',
    looksAt: "the hosts' clocks, each read by the worker with its error",
    why: 'logs of a failover cannot be put in order, and NOW() jumps with the primary',
    fix: 'chrony or systemd-timesyncd on every host',
    judge: eachMachine(judgeClock),
  },
];
