import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explained } from '../../client/foreign-failures.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/addresses.ts';
import { controlPlaneId, ensureSearchAttributes } from '../../worker/namespace.ts';
import { TestTemporal } from '../client/temporal.ts';

let temporal: TestTemporal;
let connection: NativeConnection;
beforeAll(async () => {
  temporal = await TestTemporal.start();
  connection = await NativeConnection.connect({ address: temporal.address });
});
afterAll(async () => {
  await connection.close();
  await temporal.stop();
});

/** The same Temporal for a credential that may work for the namespace, and has no right of an operator: every question to that service is denied. */
const asMereWorker = (): NativeConnection => {
  const denied = () =>
    Promise.reject(
      Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7, details: 'Request unauthorized.', metadata: {} }),
    );
  const operatorService = { listSearchAttributes: denied, addSearchAttributes: denied };
  return { workflowService: connection.workflowService, operatorService } as unknown as NativeConnection;
};

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing',
    (error: unknown) => explained(error, 'no worker was started'),
  );
const configuration = (message: RegExp) => ({
  type: 'Configuration',
  exitCode: 3,
  message: expect.stringMatching(message),
});

test('a worker that may not make the search attributes says which are missing and who can make them, and ends', async () => {
  // Of the four, this server was started with three.
  expect(await failureOf(ensureSearchAttributes(asMereWorker(), 'default'))).toMatchObject(
    configuration(
      /lacks the search attributes StandfastRunbook, and .*\(Request unauthorized\.\).* temporal operator search-attribute create --namespace default --name StandfastRunbook --type Keyword$/,
    ),
  );
});

test('one that may makes them, and after that it takes no such right', async () => {
  await ensureSearchAttributes(connection, 'default');
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  for (const name of SEARCH_ATTRIBUTES) expect(customAttributes).toHaveProperty(name);
  await expect
    .poll(() => failureOf(ensureSearchAttributes(asMereWorker(), 'default')), { timeout: 90_000 })
    .toBe('nothing');
});

test('a namespace that is not there is said to be missing, whatever is asked first', async () => {
  const missing = configuration(
    /no namespace "nowhere"; set TEMPORAL_NAMESPACE, or make it: temporal operator namespace create --namespace nowhere /,
  );
  expect(await failureOf(ensureSearchAttributes(connection, 'nowhere'))).toMatchObject(missing);
  expect(await failureOf(controlPlaneId(connection, 'nowhere'))).toMatchObject(missing);
});
