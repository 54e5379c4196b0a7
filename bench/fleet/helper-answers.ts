import type { Member } from './members.ts';

const OWNER = 'default/fleet';
const RUN = 'fleet';

/** The words of a host helper that has been in care since the first epoch, as docs/host-helper.md has them. */
const ANSWERS: Readonly<Record<string, (member: Member, serves: boolean) => Readonly<Record<string, string>>>> = {
  hello: (member) => ({
    version: 'simulated',
    protocol: '1',
    hostname: member.name,
    machine: '',
    boot: 'b-1',
    now: '1',
  }),
  records: (member, serves) => ({
    ...{ owner: OWNER, epoch: '1', run: RUN, primary: 'db1', primary_epoch: '1', primary_run: RUN },
    ...{ mode: 'lossless', ackers: 'db2,db3', k: '1', sync_epoch: '1', fenced: 'no', lineage: '1:1:0-1-1' },
    ...{ standing: 'sure', boot: 'b-1', confirmed: 'yes', refused: '', level: '2' },
    ...{ mysqld: serves ? 'running' : 'stopped', keepalived: 'running', role: member.role === 'primary' ? '1' : '0' },
    addresses: `127.0.0.1,${member.address}`,
  }),
};

export interface HelperSaid {
  readonly verb: string;
  readonly isKnown: boolean;
  readonly line: string;
}

/** One line of its `serve` mode for another. No value here has a character that needs a code. */
export function helperAnswer(line: string, member: Member, serves: boolean): HelperSaid {
  const [id = '-', verb = ''] = line.split('\t');
  const answer = Object.hasOwn(ANSWERS, verb) ? ANSWERS[verb]?.(member, serves) : undefined;
  if (answer === undefined) return { verb, isKnown: false, line: `${id}\tfail\tBadInput\tnot simulated\n` };
  const fields = Object.entries(answer).map(([key, value]) => `${key}=${value}`);
  return { verb, isKnown: true, line: `${[id, 'ok', ...fields].join('\t')}\n` };
}
