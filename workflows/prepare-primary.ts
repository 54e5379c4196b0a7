import { workflowInfo } from '@temporalio/workflow';
import { operationId } from '../domain/addresses.ts';
import { parsePreparePrimary } from '../domain/inputs.ts';
import type { PrepareResult } from '../domain/report.ts';
import { givingWay } from './giving-way.ts';
import { accept, atAddress, label, requireHost } from './operation.ts';
import { RunPage } from './progress.ts';
import { brief, critical } from './steps.ts';

/**
 * Adopts a plain primary, or opens one again that came back closed: host helpers, boot-closed configuration, records, semi-sync as recorded, VIP.
 * Opening has no undo: every step of it leaves a server either closed or properly open, and the run can simply be started again.
 */
export async function preparePrimary(input: unknown): Promise<PrepareResult> {
  const order = accept(parsePreparePrimary(input));
  const { cluster, host } = order;
  label('preparePrimary', cluster);
  return atAddress(operationId(cluster), order, () =>
    givingWay(`preparing ${host} as primary of ${cluster}`, async () => {
      const page = new RunPage(`Prepare ${host} as primary of ${cluster}`, ['equip members', 'open primary']);
      requireHost(await brief(`read the inventory of ${cluster}`).describeCluster({ cluster }), host);
      page.enter('equip members');
      const { unreachable } = await brief('host helpers and boot-closed configuration').equipMembers({ cluster, host });
      for (const why of unreachable) page.note(`Not equipped: ${why}`);
      page.enter('open primary');
      const result = await critical(`open ${host} and put the VIP on it`).openPrimary({
        cluster,
        host,
        run: workflowInfo().runId,
      });
      page.note(result.sentence);
      page.end('open');
      return result;
    }),
  );
}
