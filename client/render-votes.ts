import type { HostName } from '../domain/cluster.ts';
import type { Vote } from '../domain/election.ts';

/** @param won  what is said of the winner */
export const renderVotes = (votes: readonly Vote[], winner: HostName | null, won: string): string =>
  votes.length === 0 ? '' : ['votes:', ...votes.map((vote) => renderVote(vote, winner, won))].join('\n');

function renderVote({ host, received, vetoes }: Vote, winner: HostName | null, won: string): string {
  const held = `  ${host} received ${received === '' ? 'nothing' : received}`;
  if (vetoes.length > 0) return `${held}; barred: ${vetoes.join('; ')}`;
  return host === winner ? `${held}; ${won}` : held;
}
