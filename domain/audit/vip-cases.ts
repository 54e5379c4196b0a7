import type { HostName } from '../cluster.ts';
import type { AuditFacts, HostFacts, Seen } from './facts.ts';
import { notSeen, seen } from './facts.ts';
import type { KeepalivedConfiguration, VrrpInstance } from './keepalived-facts.ts';
import type { Judgement, Ruling } from './rule.ts';
import { databases, ruled, withSeen } from './rule.ts';

/** The one file that keepalived follows: on memory, so that it does not survive a reboot. */
export const ROLE_FILE = '/run/vip-role';
const CONFIGURATION = "keepalived's configuration";

/** An instance that would hold the VIP, on one host, beside those of the others that were seen. */
export interface InstanceCase {
  readonly host: HostName;
  readonly instance: VrrpInstance;
  readonly configuration: KeepalivedConfiguration;
  readonly entry: HostFacts;
  readonly facts: AuditFacts;
}

/** What cannot be understood, or was not read, may say anything. */
export function understood({ keepalived }: HostFacts): Seen<KeepalivedConfiguration> {
  if (keepalived.kind === 'not-seen') return keepalived;
  const { faults, unread } = keepalived.value;
  const gaps = [...faults, ...unread.map((path) => `${path} is included and was not read`)];
  return gaps.length === 0 ? seen(keepalived.value) : notSeen(gaps.join('; '));
}

const instancesIn = (facts: AuditFacts, configuration: KeepalivedConfiguration): readonly VrrpInstance[] =>
  configuration.instances.filter(({ addresses }) => addresses.includes(facts.declared.vip.address));

export const eachConfiguration =
  (judge: (configuration: KeepalivedConfiguration, entry: HostFacts, facts: AuditFacts) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    databases(facts).map((entry) =>
      ruled(
        entry.host,
        withSeen(understood(entry), CONFIGURATION, (configuration) => judge(configuration, entry, facts)),
      ),
    );

/** One judgement for each host: the first fault among its instances of the VIP. */
export const eachInstance = (judge: (found: InstanceCase) => Judgement): ((facts: AuditFacts) => readonly Ruling[]) =>
  eachConfiguration((configuration, entry, facts) => {
    const judged = instancesIn(facts, configuration).map((instance) =>
      judge({ host: entry.host, instance, configuration, entry, facts }),
    );
    return judged.find((one) => one !== null) ?? null;
  });

/** The same beside the instances of the other hosts; unseen while one of those is. */
export const besideOthers = (
  judge: (found: InstanceCase, others: readonly InstanceCase[]) => Judgement,
): ((facts: AuditFacts) => readonly Ruling[]) =>
  eachInstance((found) => {
    const others: InstanceCase[] = [];
    for (const entry of databases(found.facts)) {
      if (entry.host === found.host) continue;
      const configuration = understood(entry);
      if (configuration.kind === 'not-seen')
        return { unseen: `${CONFIGURATION} on ${entry.host}`, why: configuration.why };
      for (const instance of instancesIn(found.facts, configuration.value))
        others.push({ host: entry.host, instance, configuration: configuration.value, entry, facts: found.facts });
    }
    return judge(found, others);
  });

/** Without the role it stays in FAULT, whatever VRRP does. */
export const followsRole = ({ instance, configuration }: InstanceCase): boolean =>
  instance.trackedFiles.some((tracked) => {
    const file = configuration.trackFiles.find(({ name }) => name === tracked.name);
    return file?.file === ROLE_FILE && file.reverse && (tracked.weight ?? file.weight) === 0;
  });
