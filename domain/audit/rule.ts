import type { HostName } from '../cluster.ts';
import type { AuditFacts, HostFacts, MachineFacts, Seen, ServerFacts, Settings } from './facts.ts';

/** `bad`: a failover would not save the data or the service. `warn`: it may not, or a person should decide. `info`: worth knowing. */
export type AuditSeverity = 'bad' | 'warn' | 'info';

export const RULE_GROUPS = ['servers', 'file against running', 'VIP', 'placement', 'continuity', 'access'] as const;

/** What one rule says of one place. */
export type Ruling =
  | { readonly kind: 'met'; readonly where: string }
  | { readonly kind: 'broken'; readonly where: string; readonly found: string; readonly expected: string }
  | { readonly kind: 'not-seen'; readonly where: string; readonly what: string; readonly why: string };

export interface Rule {
  readonly code: string;
  readonly group: (typeof RULE_GROUPS)[number];
  readonly severity: AuditSeverity;
  /** What is looked at, for the page of rules. */
  readonly looksAt: string;
  readonly why: string;
  /** CLUSTER and HOST stand for their names. */
  readonly fix: string;
  readonly judge: (facts: AuditFacts) => readonly Ruling[];
}

export interface Fault {
  readonly found: string;
  readonly expected: string;
}

/** What a rule says where everything that it needs was seen; null: nothing is wrong. */
export type Judgement = Fault | null | { readonly unseen: string; readonly why: string };

export const ruled = (where: string, judgement: Judgement): Ruling => {
  if (judgement === null) return { kind: 'met', where };
  if ('unseen' in judgement) return { kind: 'not-seen', where, what: judgement.unseen, why: judgement.why };
  return { kind: 'broken', where, ...judgement };
};

export interface ServerCase {
  readonly host: HostName;
  readonly server: ServerFacts;
  readonly facts: AuditFacts;
}

export const SERVER = 'its database server';
export const MACHINE = 'its host helper';

export const databases = ({ hosts }: AuditFacts): readonly HostFacts[] => hosts.filter((one) => one.isDatabase);

/** One judgement for each database server. */
export const eachServer =
  (judge: (found: ServerCase) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    databases(facts).map(({ host, server }) =>
      ruled(
        host,
        withSeen(server, SERVER, (value) => judge({ host, server: value, facts })),
      ),
    );

/** One for each server that follows another one by its own word. */
export const eachReplica = (judge: (found: ServerCase) => Judgement): ((facts: AuditFacts) => readonly Ruling[]) =>
  eachServer((found) => (found.server.status.replication === null ? null : judge(found)));

/** One for each server, told whether it is the recorded primary. */
export const eachByRole =
  (judge: (found: ServerCase, isPrimary: boolean) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    eachServer((found) => withSeen(facts.primary, 'who is primary', (primary) => judge(found, primary === found.host)))(
      facts,
    );

/** One for each server, beside all that were seen. */
export const amongServers =
  (judge: (found: ServerCase, others: readonly ServerCase[]) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] => {
    const all = databases(facts).flatMap(({ host, server }) =>
      server.kind === 'seen' ? [{ host, server: server.value, facts }] : [],
    );
    return eachServer((found) =>
      judge(
        found,
        all.filter(({ host }) => host !== found.host),
      ),
    )(facts);
  };

export interface MachineCase {
  readonly host: HostName;
  readonly machine: MachineFacts;
  readonly entry: HostFacts;
  readonly facts: AuditFacts;
}

/** One for each host that has a helper, witnesses as well. */
export const eachMachine =
  (judge: (found: MachineCase) => Judgement) =>
  (facts: AuditFacts): readonly Ruling[] =>
    facts.hosts.map((entry) =>
      ruled(
        entry.host,
        withSeen(entry.machine, MACHINE, (machine) => judge({ host: entry.host, machine, entry, facts })),
      ),
    );

/** Judges what was seen; the rest stays unseen. */
export const withSeen = <T>(one: Seen<T>, what: string, judge: (value: T) => Judgement): Judgement =>
  one.kind === 'seen' ? judge(one.value) : { unseen: what, why: one.why };

/** Judges a setting; a server that does not know it is not judged by it. */
export function withSetting(settings: Settings, name: string, judge: (value: string) => Judgement): Judgement {
  const value = settings[name];
  return value === undefined ? { unseen: name, why: 'the server does not say it' } : judge(value);
}

/** The first three names, and how many more there are. */
export function listed(names: readonly string[], count = names.length): string {
  const shown = names.slice(0, 3);
  const more = count - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

/** The fault unless something holds. */
export const unless = (holds: boolean, fault: Fault): Fault | null => (holds ? null : fault);
