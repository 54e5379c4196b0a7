import type { HelperAnswerFields } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { Refusal } from '../domain/observation.ts';
import type { MemberRecords } from '../domain/records.ts';

/** The helper's `records` answer as plain data; empty values mean that nothing is recorded. */
export function recordsFrom(answer: HelperAnswerFields): MemberRecords {
  const value = (name: string): string => answer[name] ?? '';
  const list = value('ackers')
    .split(',')
    .filter((name) => name !== '');
  return {
    owner: value('owner'),
    epoch: value('epoch') === '' ? null : { number: Number(value('epoch')), run: value('run') },
    primary:
      value('primary') === ''
        ? null
        : { epoch: Number(value('primary_epoch')), host: value('primary'), run: value('primary_run') },
    sync:
      value('mode') === ''
        ? null
        : {
            epoch: Number(value('sync_epoch')),
            mode: value('mode') === 'lossless' ? 'lossless' : 'async',
            ackers: list,
            k: Number(value('k')),
          },
    fenced: value('fenced') === 'yes',
    ...standingFrom(answer),
  };
}

/** `ADDRESS@EPOCH,…` as the helper's `observe` tells whom its server refuses. */
export const refusalsFrom = (said: string, nameOf: (address: string) => HostName | null): readonly Refusal[] =>
  said
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const [address = '', epoch = ''] = one.split('@');
      return { host: nameOf(address), address, epoch: Number(epoch) };
    });

/** Helpers of earlier versions do not say. */
function standingFrom({ standing, boot = '', confirmed, lineage = '' }: HelperAnswerFields): Partial<MemberRecords> {
  if (standing !== 'sure' && standing !== 'booted' && standing !== 'blank') return {};
  const known = confirmed === undefined ? {} : { confirmed: confirmed === 'yes' };
  return { standing, boot, ...known, lineage: parseLineage(lineage) };
}

const parseLineage = (text: string): Lineage =>
  text === ''
    ? []
    : text.split(';').map((entry) => {
        const [epoch = '', serverId = '', start = ''] = entry.split(':');
        return { epoch: Number(epoch), serverId: Number(serverId), start };
      });

export const renderLineage = (lineage: Lineage): string =>
  lineage.map(({ epoch, serverId, start }) => `${String(epoch)}:${String(serverId)}:${start}`).join(';');
