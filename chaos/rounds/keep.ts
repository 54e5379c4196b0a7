import { Client } from '@temporalio/client';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Ledger } from '../../lab/ledger/ledger.ts';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { LabError } from '../../lab/run.ts';
import type { Round } from './round.ts';
import type { Stage } from './stage.ts';

const LOGS = [
  '/var/lib/standfast/journal',
  '/var/log/mysql/error.log',
  '/var/log/keepalived.log',
  '/run/standfast/daemon.log',
];

/** All that somebody needs who wants to know how a violation came about. */
export async function keepEvidence(
  stage: Stage,
  {
    round,
    ledger,
    since,
    folder,
  }: { readonly round: Round; readonly ledger: Ledger; readonly since: Date; readonly folder: string },
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'round.json'), `${JSON.stringify(round, null, 2)}\n`);
  cpSync(ledger.folder, path.join(folder, 'ledger'), { recursive: true });
  cpSync(path.join(stage.lab.folder, 'run'), path.join(folder, 'run'), {
    recursive: true,
    filter: (file) => !/\.sock$|temporal\.db/.test(file),
  });
  await keepHistories(stage, since, folder);
  for (const host of stage.lab.hosts) {
    if (!host.isOn()) continue;
    const logs = await host.exec(['tail', '-n', '400', ...LOGS], { timeoutMs: 10_000 });
    writeFileSync(path.join(folder, `${host.name}.log`), `${logs.stdout}${logs.stderr}`);
    const status = await host
      .exec(['mariadb', '-E', '-e', 'SHOW ALL SLAVES STATUS; SHOW GLOBAL VARIABLES; SHOW FULL PROCESSLIST'], {
        timeoutMs: 10_000,
      })
      .catch(noAnswer);
    writeFileSync(path.join(folder, `${host.name}.status`), `${status.stdout}${status.stderr}`);
  }
}

function noAnswer(error: unknown): { readonly stdout: string; readonly stderr: string } {
  if (error instanceof LabError) return { stdout: '', stderr: error.message };
  throw error;
}

async function keepHistories({ connection }: Stage, since: Date, folder: string): Promise<void> {
  const { workflow } = new Client({ connection });
  for await (const { type, workflowId, runId } of workflow.list({ query: `StartTime > "${since.toISOString()}"` })) {
    const history = await workflow.getHandle(workflowId, runId).fetchHistory();
    writeFileSync(path.join(folder, `${type}-${runId}.json`), historyToJSON(history));
  }
}
