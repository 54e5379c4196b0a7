import type { VrrpInstance } from './keepalived-facts.ts';
import type { Fault, Rule } from './rule.ts';
import { unless } from './rule.ts';
import type { InstanceCase } from './vip-cases.ts';
import { besideOthers, eachConfiguration, eachInstance, followsRole, ROLE_FILE } from './vip-cases.ts';
import {
  judgeBlindCheck,
  judgeLikeness,
  judgePeers,
  judgeTracking,
  judgeWeight,
  processName,
  scriptsOf,
} from './vip-judgements.ts';

const named = ({ state, priority }: VrrpInstance): string => `state ${state}, priority ${String(priority)}`;
const electing =
  (judge: (found: InstanceCase, others: readonly InstanceCase[]) => Fault | null) =>
  (found: InstanceCase, others: readonly InstanceCase[]): Fault | null =>
    followsRole(found) ? null : judge(found, others);

const PREPARE = "standfast prepare CLUSTER PRIMARY writes keepalived's configuration on every host";
const VIP = { group: 'VIP' } as const;

/** What keepalived would do by itself. Source: docs/decisions/2026-11-27-gap-of-the-vip.md, keepalived.conf(5). */
export const VIP_CONFIGURATION_RULES: readonly Rule[] = [
  {
    ...VIP,
    code: 'KeepalivedElects',
    severity: 'bad',
    looksAt: 'whether the instance of the VIP follows the role that Standfast gives (`track_file`, weight 0, reverse)',
    why: 'it moves the VIP to a server that is still read-only, or to both, by rules that know nothing of the data',
    fix: PREPARE,
    judge: eachInstance((found) =>
      unless(followsRole(found), {
        found: `${named(found.instance)}: VRRP alone decides`,
        expected: `a role in ${ROLE_FILE}`,
      }),
    ),
  },
  {
    ...VIP,
    code: 'VipTakenBack',
    severity: 'bad',
    looksAt: '`state MASTER`, or a higher priority without `nopreempt`',
    why: 'an old primary that boots takes the VIP back, with data that has been overtaken',
    fix: PREPARE,
    judge: besideOthers(
      electing(({ instance }, others) =>
        unless(
          (instance.nopreempt && instance.state !== 'MASTER') ||
            !others.some((other) => other.instance.priority < instance.priority),
          {
            found: `${named(instance)}${instance.nopreempt ? ', nopreempt has no effect in state MASTER' : ', no nopreempt'}`,
            expected: 'it never takes the VIP back by itself',
          },
        ),
      ),
    ),
  },
  {
    ...VIP,
    code: 'CheckNeverMatches',
    severity: 'bad',
    looksAt:
      '`killall -0`, `pidof` and `pgrep` in the `vrrp_script`s of the instance, against the name of the running server',
    why: 'the check fails on every host at all times, so it decides nothing when the server dies',
    fix: `${PREPARE}; Standfast watches the servers itself`,
    judge: eachInstance(judgeBlindCheck),
  },
  {
    ...VIP,
    code: 'CheckSeesProcessOnly',
    severity: 'warn',
    looksAt: 'what the `vrrp_script`s of the instance ask',
    why: 'a server that hangs, is read-only, or refuses connections has a process too',
    fix: `${PREPARE}; Standfast watches the servers itself`,
    judge: eachInstance((found) => {
      const shallow = scriptsOf(found).find((script) => processName(script) !== null);
      return shallow === undefined
        ? null
        : { found: `\`${shallow.command}\``, expected: 'an answer of the server itself' };
    }),
  },
  {
    ...VIP,
    code: 'WeightChangesNothing',
    severity: 'bad',
    looksAt: 'weight of the `vrrp_script`s against the difference of the priorities',
    why: 'a failed check leaves the order of the hosts as it is: the VIP stays on a dead server',
    fix: PREPARE,
    judge: besideOthers(judgeWeight),
  },
  {
    ...VIP,
    code: 'VrrpPassword',
    severity: 'warn',
    looksAt: '`auth_type`',
    why: 'PASS travels in clear, is cut to 8 characters, and is ignored by VRRP 3: it keeps nobody away',
    fix: `${PREPARE}, without a password, to named peers only`,
    judge: eachInstance(({ instance }) =>
      unless(instance.authType !== 'PASS', {
        found: `auth_type PASS${instance.passwordTooLong ? ', with a password that is cut' : ''}`,
        expected: 'no password, and unicast to named peers',
      }),
    ),
  },
  {
    ...VIP,
    code: 'VrrpUnlike',
    severity: 'bad',
    looksAt: 'router ID, version, password, interval and form of the instances of all hosts',
    why: 'hosts that do not understand each other both hold the VIP',
    fix: PREPARE,
    judge: besideOthers(judgeLikeness),
  },
  {
    ...VIP,
    code: 'VrrpPeers',
    severity: 'bad',
    looksAt: '`unicast_peer`, `unicast_src_ip` against the addresses of the inventory',
    why: 'a host that is not told of the others holds the VIP beside them',
    fix: PREPARE,
    judge: eachInstance(judgePeers),
  },
  {
    ...VIP,
    code: 'EqualPriorities',
    severity: 'warn',
    looksAt: 'priorities of instances that elect by themselves',
    why: 'of two that are equal the higher address wins, however stale its data',
    fix: PREPARE,
    judge: besideOthers(
      electing(({ instance }, others) => {
        const equal = others.find((other) => other.instance.priority === instance.priority);
        return equal === undefined
          ? null
          : { found: `priority ${String(instance.priority)}, as on ${equal.host}`, expected: 'an order' };
      }),
    ),
  },
  {
    ...VIP,
    code: 'TrackingFailsOpen',
    severity: 'bad',
    looksAt: 'names and places of what the instance tracks',
    why: 'keepalived drops what it cannot find without stopping, and the host becomes master',
    fix: PREPARE,
    judge: eachInstance(judgeTracking),
  },
  {
    ...VIP,
    code: 'ScriptsUnsafe',
    severity: 'warn',
    looksAt: '`enable_script_security` where there are scripts',
    why: 'without it keepalived runs, as root, a script that others can change',
    fix: `${PREPARE}, or put enable_script_security into global_defs`,
    judge: eachConfiguration(({ scripts, scriptSecurity }) =>
      unless(scripts.length === 0 || scriptSecurity, {
        found: 'scripts without enable_script_security',
        expected: 'enable_script_security',
      }),
    ),
  },
  {
    ...VIP,
    code: 'VrrpInterface',
    severity: 'warn',
    looksAt: '`interface` of the instance against `vip.interface`',
    why: 'the VIP would come up on a network where its clients are not',
    fix: 'correct vip.interface in the inventory, or standfast prepare CLUSTER PRIMARY',
    judge: eachInstance(({ instance, facts: { declared } }) =>
      unless(instance.interface === declared.vip.interface, {
        found: instance.interface || 'none',
        expected: declared.vip.interface,
      }),
    ),
  },
  {
    ...VIP,
    code: 'VipUnguarded',
    severity: 'bad',
    looksAt: 'an instance for the VIP on every database host, with the driver `keepalived`; none with `direct`',
    why: 'with the one nobody announces the VIP again and again; with the other two programs hold one address by different rules',
    fix: 'standfast prepare CLUSTER PRIMARY (it names the file that is in the way of the driver direct)',
    judge: eachConfiguration(({ instances }, _, { declared: { vip } }) => {
      const has = instances.some(({ addresses }) => addresses.includes(vip.address));
      return unless(has === (vip.driver === 'keepalived'), {
        found: has ? `an instance for ${vip.address}` : `no instance for ${vip.address}`,
        expected: vip.driver === 'keepalived' ? 'one' : 'none: vip.driver is direct',
      });
    }),
  },
];
