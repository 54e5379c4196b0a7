import type { HostName } from '../cluster.ts';
import { judgePlacement } from '../preflight.ts';
import type { AuditFacts, LinkFacts, MachineFacts } from './facts.ts';
import type { LinkCost } from './latency.ts';
import { costOf } from './latency.ts';
import type { Judgement, Rule, Ruling } from './rule.ts';
import { databases, eachMachine, ruled, unless } from './rule.ts';

/** Two kernels that booted in the same second are one. */
const SAME_BOOT_SECONDS = 1;
const BUSY = 0.5;

const isSameMachine = (one: MachineFacts, other: MachineFacts): boolean =>
  (one.machineId !== '' && one.machineId === other.machineId) ||
  Math.abs(one.bootedAtSeconds - other.bootedAtSeconds) <= SAME_BOOT_SECONDS;

const eachLink =
  (judge: (link: LinkFacts, cost: LinkCost | null, facts: AuditFacts) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    facts.links.map((link) => {
      const { roundTrip, from, to } = link;
      const where = `${from}/${to}`;
      if (roundTrip.kind === 'not-seen') return ruled(where, { unseen: 'its round trip', why: roundTrip.why });
      return ruled(where, judge(link, costOf(facts, link), facts));
    });

const ms = (value: number): string => `${String(Math.round(value * 100) / 100)} ms`;

const latencyWords = ({ p50Ms, p99Ms, samples, commitsPerSecond, lagMs }: LinkCost): string =>
  [
    `${ms(p50Ms)} round trip (p99 ${ms(p99Ms)}, ${String(samples)} samples)`,
    ...(commitsPerSecond === null ? [] : [`at most ${String(commitsPerSecond)} commits/s on one connection`]),
    `rows are ${ms(lagMs)} old at least`,
  ].join(', ');

const inClass = (wanted: LinkCost['class'], expected: string) =>
  eachLink((_, cost) => (cost?.class === wanted ? { found: latencyWords(cost), expected } : null));

const others = (facts: AuditFacts, host: HostName): readonly HostName[] => {
  const own = facts.cluster.hosts.find(({ name }) => name === host);
  return facts.cluster.hosts.filter(({ name, site }) => name !== host && site === own?.site).map(({ name }) => name);
};

/** Where the hosts stand, and what that costs. */
export const PLACEMENT_RULES: readonly Rule[] = [
  {
    code: 'CountryOutside',
    group: 'placement',
    severity: 'bad',
    looksAt: 'country of the site of every database host, against `policy.placement`',
    why: 'the data may not be there; provisioning and election refuse such a host as well',
    fix: 'have another replica inside the policy; if HOST is the primary, fail over and rejoin it; then standfast acker remove CLUSTER HOST, stop its server, take HOST out of the inventory, and remove its data and backups there. Or change policy.placement with whoever answers for the data',
    judge: ({ cluster }) =>
      cluster.hosts.map((host) =>
        ruled(
          host.name,
          unless(judgePlacement(cluster, host).length === 0, {
            found: `${host.country} (site ${host.site})`,
            expected: cluster.countries.join(', '),
          }),
        ),
      ),
  },
  {
    code: 'SameMachine',
    group: 'placement',
    severity: 'bad',
    looksAt: 'machine IDs and boot times of all members',
    why: 'what takes one takes the other: it is no standby, and no vote of its own',
    fix: 'move HOST to another machine; of a copied image: rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup on it, and reboot it (a replica: rolling reboots)',
    judge: eachMachine(({ host, machine, facts }) => {
      const twins = facts.hosts.flatMap((other) =>
        other.host !== host && other.machine.kind === 'seen' && isSameMachine(machine, other.machine.value)
          ? [{ host: other.host, machine: other.machine.value }]
          : [],
      );
      const [twin] = twins;
      if (twin === undefined) return null;
      const proof =
        machine.machineId !== '' && twin.machine.machineId === machine.machineId ? 'machine ID' : 'second of boot';
      return {
        found: `the ${proof} of ${twins.map((one) => one.host).join(', ')} as well`,
        expected: 'a machine of its own',
      };
    }),
  },
  {
    code: 'SameSite',
    group: 'placement',
    severity: 'warn',
    looksAt: '`site` of the database hosts',
    why: 'a fire, a power cut or a switch takes both',
    fix: 'provision a replica at another site',
    judge: (facts) =>
      facts.cluster.hosts.map(({ name, site }) => {
        const beside = others(facts, name);
        return ruled(
          name,
          unless(beside.length === 0, { found: `at ${site} with ${beside.join(', ')}`, expected: 'a site of its own' }),
        );
      }),
  },
  {
    code: 'LatencyHigh',
    group: 'placement',
    severity: 'warn',
    looksAt: 'round trip between every two database hosts, measured on both (20 samples): 60 ms and more',
    why: 'with semi-sync every commit waits for a round trip; without, so much can be lost',
    fix: 'keep the ackers nearer, and the far host as a replica that does not acknowledge: standfast acker remove CLUSTER HOST, and promotable: false of HOST in the inventory where the VIP cannot be there',
    judge: inClass('high', 'less than 60 ms'),
  },
  {
    code: 'LatencyLow',
    group: 'placement',
    severity: 'info',
    looksAt: 'the same: 1 ms to 60 ms, such as about 25 ms between Oslo and Frankfurt',
    why: 'with semi-sync every commit waits for a round trip',
    fix: 'nothing, when the application commits on many connections; otherwise a replica in the same city',
    judge: inClass('low', 'less than 1 ms costs nothing that can be felt'),
  },
  {
    code: 'LinkBusy',
    group: 'placement',
    severity: 'warn',
    looksAt: 'growth of the binary log during the audit, against the speed of the network cards',
    why: 'from half of its speed on a link has no room for a catch-up or a copy, and lag grows with every burst',
    fix: 'give HOST a faster card, or compress: log_bin_compress=1',
    judge: eachLink(({ from, to }, cost, facts) => {
      if (facts.primary.kind === 'not-seen') return { unseen: 'who is primary', why: facts.primary.why };
      if (facts.primary.value !== from) return null;
      const busy = cost?.busy ?? null;
      if (busy === null) return { unseen: 'its speed, or what is written', why: speedUnknown(facts, [from, to]) };
      return unless(busy < BUSY, {
        found: `${String(Math.round(busy * 100))} % of the link is needed for what is written now`,
        expected: `less than ${String(BUSY * 100)} %`,
      });
    }),
  },
];

function speedUnknown(facts: AuditFacts, names: readonly HostName[]): string {
  const reasons = databases(facts)
    .filter(({ host }) => names.includes(host))
    .flatMap(({ host, machine, server }) => [
      ...(machine.kind === 'not-seen' ? [`${host}: ${machine.why}`] : []),
      ...(machine.kind === 'seen' && machine.value.linkMbits === null
        ? [`the card of ${host} does not say how fast it is`]
        : []),
      ...(host === names[0] && server.kind === 'not-seen' ? [`${host}: ${server.why}`] : []),
    ]);
  return reasons.join('; ') || 'the primary has no binary log';
}
