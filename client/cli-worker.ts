import { explained } from './foreign-failures.ts';

export async function startWorkerOrExplain(start: () => Promise<number>): Promise<number> {
  try {
    return await start();
  } catch (error) {
    throw explained(error, 'no worker was started');
  }
}
