import pc from 'picocolors';
import type { Verdict as ReplicationVerdict } from '../client/index.ts';
import type { Act } from './story.ts';

const mark = (held: boolean): string => (held ? pc.green('✓') : pc.red('✗'));
const ms = (value: number): string => `${String(Math.round(value))} ms`;

export function renderTopology(title: string, verdict: ReplicationVerdict): string {
  const holds = (host: string): string => (verdict.vipHolders.includes(host) ? pc.cyan(' ← VIP') : '');
  const replicas = verdict.replicas.map((replica) => {
    const lag = replica.lagMs === null ? '' : `, lag ${ms(replica.lagMs)}`;
    return `  └─ ${replica.host}  from ${replica.source ?? 'nobody'}, IO ${replica.receiver}, SQL ${replica.applier}${lag}${holds(replica.host)}`;
  });
  return [pc.bold(title), `  ${verdict.primary}  primary${holds(verdict.primary)}`, ...replicas].join('\n');
}

interface Event {
  readonly at: number;
  readonly text: string;
}

/** The failover on one clock: milliseconds since the death of the primary. */
export function renderTimeline(act: Act): string {
  const zero = Date.parse(act.killedAtIso);
  const steps = act.failover.timeline.map((entry): Event => {
    const took = `${entry.durationMs.toFixed(1)} ms`.padStart(10);
    const where = entry.host === null ? '' : ` ${entry.host}`;
    const outcome = entry.outcome === 'done' ? '' : pc.yellow(`  ${entry.outcome}`);
    return {
      at: Date.parse(entry.startedAt) - zero,
      text: `${took}  ${entry.step}${where}  ${pc.dim(`(${entry.worker}, attempt ${String(entry.attempt)})`)}${outcome}`,
    };
  });
  const marks: readonly Event[] = [
    { at: 0, text: pc.red('the primary died') },
    {
      at: Date.parse(act.murder.atIso) - zero,
      text: pc.red(
        `worker ${act.murder.worker} (pid ${String(act.murder.pid)}) killed in the middle of ${act.murder.activity}`,
      ),
    },
    ...(act.ledger.writeOutageMs === undefined
      ? []
      : [{ at: act.ledger.writeOutageMs, text: pc.green('first write accepted through the VIP') }]),
  ];
  const lines = [...steps, ...marks]
    .sort((left, right) => left.at - right.at)
    .map((event) => `  ${`+${ms(event.at)}`.padStart(10)}  ${event.text}`);
  return [pc.bold('Timeline'), ...lines].join('\n');
}

export function renderVerdict(act: Act): string {
  const { ledger, comparison } = act;
  const outage = ledger.writeOutageMs === undefined ? 'never ended' : ms(ledger.writeOutageMs);
  return [
    pc.bold('What the ledger says'),
    `  ${mark(ledger.lost.length === 0)} ${String(ledger.acknowledged)} writes acknowledged, ${String(ledger.present)} present, ${String(ledger.lost.length)} lost, ${String(ledger.duplicated.length)} duplicated (${String(ledger.unknown)} unanswered, ${String(ledger.unknownPresent)} of them present)`,
    `  ${mark(ledger.twoWriters.length === 0)} acknowledgements by a deposed server: ${String(ledger.twoWriters.length)} (written to every host's address and socket, and through the VIP)`,
    `  ${mark(comparison.differing.length === 0)} ${String(comparison.tables)} tables compared by checksum on ${comparison.servers.join(' and ')}: ${comparison.differing.length === 0 ? 'equal' : `differ in ${comparison.differing.join(', ')}`}`,
    `  write outage: ${outage}`,
  ].join('\n');
}
