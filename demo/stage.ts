import { Standfast } from '../client/index.ts';
import { Lab } from '../lab/lab.ts';
import { TemporalServer } from '../lab/temporal.ts';
import { LabWorker } from '../lab/workers.ts';

/** Everything that the demo plays with. */
export interface Stage {
  readonly lab: Lab;
  readonly temporal: TemporalServer;
  readonly client: Standfast;
  readonly workers: LabWorker[];
}

export const CLUSTER = 'shop';

export async function setStage(name: string, tell: (line: string) => void): Promise<Stage> {
  tell('hosts db1, db2, db3 (MariaDB, sshd, keepalived), an application seat and a control seat');
  const lab = await Lab.up({ name });
  tell('Temporal, on a file, in the control seat');
  const temporal = await TemporalServer.start(lab);
  tell('two workers');
  const workers = await Promise.all(['one', 'two'].map((worker) => startWorker({ lab, temporal }, worker)));
  const client = await Standfast.connect({ address: temporal.address });
  return { lab, temporal, client, workers };
}

export const startWorker = ({ lab, temporal }: Pick<Stage, 'lab' | 'temporal'>, name: string): Promise<LabWorker> =>
  LabWorker.start(lab, name, { temporal: temporal.insideAddress });
