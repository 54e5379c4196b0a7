import path from 'node:path';
import type { RunResult } from '../../lab/run.ts';
import { projectFolder } from '../../lab/state.ts';
import type { Cluster } from './cluster.ts';

const program = path.join(projectFolder, 'dist', 'bin', 'standfast.js');

/** The command as somebody types it where a worker runs. */
export function standfastIn(
  { lab, temporalInside }: Cluster,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  return lab.control.exec([process.execPath, program, ...args], {
    env: {
      PATH: process.env['PATH'],
      TEMPORAL_ADDRESS: temporalInside,
      STANDFAST_CONFIG: lab.etc('standfast.yaml'),
      ...environment,
    },
    timeoutMs: 60_000,
  });
}
