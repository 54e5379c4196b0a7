import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab } from '../../lab/lab.ts';
import { run } from '../../lab/run.ts';
import { TemporalServer, temporalCli } from '../../lab/temporal.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: 't-temporal', hosts: ['db1'], withHelper: false });
}, 60_000);

afterAll(async () => {
  await Lab.remove('t-temporal');
}, 60_000);

it('answers on the machine, with UI and search attributes, and keeps its runs over a SIGKILL', async () => {
  const server = await TemporalServer.start(lab);
  const temporal = async (...argv: readonly string[]): Promise<string> => {
    const result = await run([temporalCli(), ...argv, '--address', server.address], { timeoutMs: 20_000 });
    expect(result, argv.join(' ')).toMatchObject({ exitCode: 0 });
    return result.stdout;
  };
  expect((await fetch(server.uiAddress)).status).toBe(200);
  expect(await temporal('operator', 'search-attribute', 'list')).toMatch(/StandfastPhase\s+Keyword/);
  await temporal('workflow', 'start', '--type', 'any', '--task-queue', 'none', '--workflow-id', 'kept');

  await server.kill();
  expect(server.isRunning()).toBe(false);
  await server.startAgain();

  expect(await temporal('workflow', 'describe', '--workflow-id', 'kept', '--output', 'json')).toContain(
    'WORKFLOW_EXECUTION_STATUS_RUNNING',
  );
}, 60_000);
