import type { HelperAnswerFields } from '../../../adapters/ports.ts';
import type { HostName } from '../../../domain/cluster.ts';
import type { Database } from './database.ts';
import { HelperRefusal } from './refusal.ts';

/** Attempts at a job, as the helper of a host counts them. */
export interface Attempt {
  readonly number: number;
  readonly phase: 'open' | 'proven' | 'over';
  readonly proof: string;
}

interface WithAttempts {
  readonly name: HostName;
  readonly database: Database | null;
  readonly attempts: Map<string, Attempt>;
  readonly copies: ReadonlySet<string>;
}

type Verb = (
  member: WithAttempts,
  args: Readonly<Record<string, string>>,
  world: { readonly endSessions: (host: HostName) => number },
) => HelperAnswerFields;

const NONE: Attempt = { number: 0, phase: 'open', proof: '' };
const attemptAt = ({ attempts }: WithAttempts, job = ''): Attempt => attempts.get(job) ?? NONE;

function requireNewest(member: WithAttempts, { job, attempt }: Readonly<Record<string, string>>): void {
  const { number, phase } = attemptAt(member, job);
  if (phase !== 'open' || String(number) !== attempt)
    throw new HelperRefusal('Stale', `${member.name} is at attempt ${String(number)} (${phase})`);
}

export const JOB_LOOKS: Readonly<Record<string, Verb>> = {
  'job-status': (member, { job }) => ({
    state: member.copies.has(job ?? '') ? 'done' : 'absent',
    ...said(attemptAt(member, job)),
  }),
  'job-assert': (member, args) => {
    requireNewest(member, args);
    return {};
  },
};

const said = ({ number, phase, proof }: Attempt): HelperAnswerFields => ({ attempt: String(number), phase, proof });

export const JOB_ORDERS: Readonly<Record<string, Verb>> = {
  'job-claim': (member, { job = '', account }, world) => {
    const { number, phase } = attemptAt(member, job);
    if (phase !== 'open') throw new HelperRefusal('Stale', `the job ${job} on ${member.name} is ${phase}`);
    member.attempts.set(job, { ...NONE, number: number + 1 });
    if (account !== undefined) world.endSessions(member.name);
    return { attempt: String(number + 1) };
  },
  'job-prove': (member, args) => {
    requireNewest(member, args);
    const { job = '', tables = '', position = '' } = args;
    member.attempts.set(job, { ...attemptAt(member, job), phase: 'proven', proof: `${tables} ${position}` });
    return {};
  },
  'job-clean': (member, { job = '' }) => {
    member.attempts.set(job, { ...attemptAt(member, job), phase: 'over' });
    return { state: 'absent' };
  },
};
