import type { VrrpScript } from './keepalived-facts.ts';
import type { Judgement } from './rule.ts';
import { MACHINE, unless, withSeen } from './rule.ts';
import type { InstanceCase } from './vip-cases.ts';
import { followsRole, ROLE_FILE } from './vip-cases.ts';

/** An option of one letter, a number, or a name: nothing that could be a password, and nothing behind which another command begins. */
const PLAIN_WORD = /^(-[A-Za-z]|-0|-s0|\d+|[A-Za-z_][\w.]*)$/;

/** A check that only asks whether a process of some name is there; the name that it looks for. */
export function processName({ command }: Pick<VrrpScript, 'command'>): string | null {
  const words = command.split(/\s+/).filter(Boolean);
  const program = words[0]?.split('/').at(-1) ?? '';
  const isSignalZero = words.some(
    (word, index) => word === '-0' || word === '-s0' || (word === '-s' && words[index + 1] === '0'),
  );
  if (!['pidof', 'pgrep'].includes(program) && !(['killall', 'pkill'].includes(program) && isSignalZero)) return null;
  const rest = words.slice(1);
  const names = rest.filter((word) => !/^-|^\d+$/.test(word));
  return names.length === 1 && rest.every((word) => PLAIN_WORD.test(word)) ? (names[0] ?? null) : null;
}

export const scriptsOf = ({ instance, configuration }: InstanceCase): readonly VrrpScript[] =>
  instance.trackedScripts.flatMap(({ name, weight }) => {
    const script = configuration.scripts.find((one) => one.name === name);
    return script === undefined ? [] : [{ ...script, weight: weight ?? script.weight }];
  });

export function judgeBlindCheck(found: InstanceCase): Judgement {
  const checks = scriptsOf(found).flatMap((script) => {
    const name = processName(script);
    return name === null ? [] : [{ script, name }];
  });
  if (checks.length === 0) return null;
  return withSeen(found.entry.machine, MACHINE, ({ serverProgram }) => {
    if (serverProgram === '') return { unseen: 'the name of its server program', why: 'no database server runs' };
    const blind = checks.find(({ name }) => name !== serverProgram);
    return blind === undefined
      ? null
      : {
          found: `${blind.script.name} asks for a process ${blind.name} (\`${blind.script.command}\`), and the server is ${serverProgram}`,
          expected: 'a check that can say yes',
        };
  });
}

/** A weight of 0 is no weight: a failed check is a FAULT then. */
export function judgeWeight(found: InstanceCase, others: readonly InstanceCase[]): Judgement {
  if (followsRole(found)) return null;
  const next = Math.max(...others.map(({ instance }) => instance.priority));
  const lead = found.instance.priority - next;
  if (others.length === 0 || lead < 0) return null;
  const weak = scriptsOf(found).find(({ weight }) => weight !== 0 && Math.abs(weight) <= lead);
  return weak === undefined
    ? null
    : {
        found: `priority ${String(found.instance.priority)} against ${String(next)}, and ${weak.name} weighs ${String(weak.weight)}`,
        expected: `a weight of more than ${String(lead)}, or the role of Standfast`,
      };
}

const COMPARED: readonly (readonly [string, (one: InstanceCase) => string])[] = [
  ['virtual_router_id', ({ instance }) => String(instance.routerId ?? 'none')],
  ['vrrp_version', ({ configuration }) => String(configuration.vrrpVersion)],
  ['auth_type', ({ instance }) => instance.authType || 'none'],
  ['auth_pass', ({ instance }) => `password ${String(instance.passwordNumber ?? 'none')}`],
  ['advert_int', ({ instance }) => `${String(instance.advertSeconds)} s`],
  ['unicast or multicast', ({ instance }) => (instance.peers.length > 0 ? 'unicast' : 'multicast')],
];

export function judgeLikeness(found: InstanceCase, others: readonly InstanceCase[]): Judgement {
  for (const other of others)
    for (const [name, of] of COMPARED)
      if (of(found) !== of(other))
        return {
          found: `${name}: ${of(found)}`,
          expected: `${of(other)}, as on ${other.host}`,
        };
  return null;
}

export function judgePeers({ host, instance, facts: { declared } }: InstanceCase): Judgement {
  if (instance.peers.length === 0) return null;
  const wanted = Object.entries(declared.addresses).flatMap(([name, address]) => (name === host ? [] : [address]));
  const missing = wanted.filter((address) => !instance.peers.includes(address));
  const own = declared.addresses[host] ?? '';
  if (missing.length > 0)
    return { found: `it does not tell ${missing.join(', ')}`, expected: 'every other database host among its peers' };
  return unless(instance.sourceAddress === '' || instance.sourceAddress === own, {
    found: `unicast_src_ip ${instance.sourceAddress}`,
    expected: own,
  });
}

const FOLDERS_OF_BOOT = /^\/(run|var\/run|tmp|dev\/shm)\/.+\//;

export function judgeTracking({ instance, configuration }: InstanceCase): Judgement {
  for (const { name } of instance.trackedFiles) {
    const file = configuration.trackFiles.find((one) => one.name === name);
    if (file === undefined)
      return { found: `track_file ${name} is defined nowhere`, expected: 'a definition of that name' };
    if (FOLDERS_OF_BOOT.test(file.file))
      return { found: `${name} reads ${file.file}`, expected: `a file directly in /run, such as ${ROLE_FILE}` };
  }
  const lost = instance.trackedScripts.find(({ name }) => !configuration.scripts.some((one) => one.name === name));
  return lost === undefined
    ? null
    : { found: `vrrp_script ${lost.name} is defined nowhere`, expected: 'a definition of that name' };
}
