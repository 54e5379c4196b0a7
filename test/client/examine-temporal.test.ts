import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadClientConfig } from '../../client/config.ts';
import type { Link } from '../../client/connection.ts';
import { openLink } from '../../client/connection.ts';
import { examineTemporal } from '../../client/examine-temporal.ts';
import { TestTemporal } from './temporal.ts';

let temporal: TestTemporal;
let link: Link;
beforeAll(async () => {
  temporal = await TestTemporal.start();
  link = await openLink(loadClientConfig({ address: temporal.address }));
  // A credential that may work for the namespace, and has no right of an operator.
  const denied = Object.assign(new Error('denied'), { code: 7, details: 'denied', metadata: {} });
  vi.spyOn(link.connection.operatorService, 'listSearchAttributes').mockRejectedValue(denied);
});
afterAll(async () => {
  await link.connection.close();
  await temporal.stop();
});

test('a search attribute that is missing is named, with its namespace in the remedy, without the right of an operator', async () => {
  const checks = await examineTemporal(link, { wanted: null, cluster: undefined, watches: [], observers: [] });
  // Of the four, this server was started with three.
  expect(checks.find(({ code }) => code === 'search-attributes')).toMatchObject({
    state: 'bad',
    says: 'the namespace lacks the search attributes StandfastRunbook',
    fix: expect.stringMatching(
      /temporal operator search-attribute create --namespace default --name StandfastRunbook --type Keyword$/,
    ),
  });
});
