import type { AuditFacts } from './facts.ts';
import type { Rule } from './rule.ts';
import { databases, eachMachine, ruled, unless } from './rule.ts';

const holdersOf = (facts: AuditFacts): readonly string[] =>
  databases(facts).flatMap(({ host, machine }) =>
    machine.kind === 'seen' && machine.value.addresses.includes(facts.declared.vip.address) ? [host] : [],
  );

/** Where the VIP is now, by the kernels of the hosts. */
export const VIP_HOLDING_RULES: readonly Rule[] = [
  {
    code: 'KeepalivedStopped',
    group: 'VIP',
    severity: 'bad',
    looksAt: 'processes of keepalived on the database hosts, with the driver `keepalived`',
    why: 'nobody guards the VIP: what is held stays held, and nothing announces it again',
    fix: 'standfast prepare CLUSTER PRIMARY starts it, and proves that it does not take the VIP by itself; have it started at boot',
    judge: eachMachine(({ entry, machine, facts: { declared } }) =>
      unless(!entry.isDatabase || declared.vip.driver === 'direct' || machine.keepalivedRuns, {
        found: 'keepalived does not run',
        expected: 'it runs',
      }),
    ),
  },
  {
    code: 'VipMisplaced',
    group: 'VIP',
    severity: 'bad',
    looksAt: 'addresses of every host, against who is primary',
    why: 'clients write to a server that is not the primary, or are refused by one that is read-only',
    fix: 'standfast prepare CLUSTER PRIMARY',
    judge: eachMachine(({ host, machine, facts }) => {
      if (!machine.addresses.includes(facts.declared.vip.address)) return null;
      if (facts.primary.kind === 'not-seen') return { unseen: 'who is primary', why: facts.primary.why };
      return unless(facts.primary.value === host, {
        found: `${host} holds ${facts.declared.vip.address}`,
        expected: `${facts.primary.value} alone holds it`,
      });
    }),
  },
  {
    code: 'VipNowhere',
    group: 'VIP',
    severity: 'bad',
    looksAt: 'addresses of every database host',
    why: 'no client reaches the primary',
    fix: 'standfast prepare CLUSTER PRIMARY',
    judge: (facts) => {
      const blind = databases(facts).find(({ machine }) => machine.kind === 'not-seen');
      if (holdersOf(facts).length > 0) return [ruled(facts.cluster.cluster, null)];
      return [
        ruled(
          facts.cluster.cluster,
          blind?.machine.kind === 'not-seen'
            ? { unseen: `whether ${blind.host} holds the VIP`, why: blind.machine.why }
            : { found: `nobody holds ${facts.declared.vip.address}`, expected: 'the primary holds it' },
        ),
      ];
    },
  },
];
