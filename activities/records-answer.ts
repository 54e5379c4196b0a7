import type { HelperAnswerFields } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { parseGtids } from '../domain/gtid.ts';
import type { Lineage } from '../domain/lineage.ts';
import type { Refusal } from '../domain/observation.ts';
import type { MemberRecords, RefusedAddress } from '../domain/records.ts';

/**
 * The `records` answer of the helper of `host` as plain data; empty values mean that nothing is recorded.
 * @throws AdapterFailure `Unsafe` when its lineage cannot be read: like every damaged record it must never look like none
 */
export function recordsFrom(host: HostName, answer: HelperAnswerFields): MemberRecords {
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
    ...standingFrom(host, answer),
    ...sinceLevel2(answer),
    ...roomFrom(answer),
  };
}

/** `ADDRESS@EPOCH,…` as the helper tells whom its server refuses. */
export const refusedFrom = (said: string): readonly RefusedAddress[] =>
  said
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const [address = '', epoch = ''] = one.split('@');
      return { address, epoch: Number(epoch) };
    });

export const refusalsFrom = (said: string, nameOf: (address: string) => HostName | null): readonly Refusal[] =>
  refusedFrom(said).map((one) => ({ host: nameOf(one.address), ...one }));

const sinceLevel2 = ({ level, refused = '' }: HelperAnswerFields): Partial<MemberRecords> =>
  level === undefined ? {} : { level: Number(level), refused: refusedFrom(refused) };

const roomFrom = ({ room }: HelperAnswerFields): Partial<MemberRecords> =>
  room === undefined ? {} : { room: Number(room) };

/** Helpers of earlier versions do not say. */
function standingFrom(
  host: HostName,
  { standing, boot = '', confirmed, lineage = '' }: HelperAnswerFields,
): Partial<MemberRecords> {
  if (standing !== 'sure' && standing !== 'booted' && standing !== 'blank') return {};
  const known = confirmed === undefined ? {} : { confirmed: confirmed === 'yes' };
  return { standing, boot, ...known, lineage: parseLineage(host, lineage) };
}

const PROMOTION = /^([1-9]\d*):(\d+):(.*)$/;

const parseLineage = (host: HostName, text: string): Lineage =>
  text === ''
    ? []
    : text.split(';').map((entry) => {
        const [, epoch, serverId, start] = PROMOTION.exec(entry) ?? [];
        if (epoch === undefined || serverId === undefined || start === undefined || !areGtids(start))
          throw damagedLineage(host, entry);
        return { epoch: Number(epoch), serverId: Number(serverId), start };
      });

function areGtids(text: string): boolean {
  try {
    parseGtids(text);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const damagedLineage = (host: HostName, entry: string): AdapterFailure =>
  new AdapterFailure({
    type: 'Unsafe',
    host,
    message: `the lineage in the record primary on ${host} is damaged ("${entry}" is no promotion, EPOCH:SERVER:START); this member takes no part until a person mends it as root: never copy it from another member, but remove it and /var/lib/standfast/standing; then standfast prepare CLUSTER PRIMARY, with all other members present, writes the newest (docs/failures.md, A damaged record)`,
  });

export const renderLineage = (lineage: Lineage): string =>
  lineage.map(({ epoch, serverId, start }) => `${String(epoch)}:${String(serverId)}:${start}`).join(';');
