import { expect, it } from 'vitest';
import { channelsFrom } from '../../adapters/mariadb-channels.ts';

const nameOf = (address: string) => (address === '10.9.0.1' ? 'db1' : null);
const row = (name: string, host: string, threads = ['Yes', 'Yes']) => ({
  ...{ Connection_name: name, Master_Host: host, Slave_IO_Running: threads[0], Slave_SQL_Running: threads[1] },
});

it('the default channel is the cluster’s own, wherever it stands in the list', () => {
  const found = channelsFrom([row('b', '10.9.0.9'), row('', '10.9.0.1')], nameOf);
  expect(found.own).toMatchObject({ source: 'db1', receiver: 'running' });
  expect(channelsFrom([], nameOf)).toEqual({ own: null, others: [] });
});

it('a named channel is another one, by whatever source, running or stopped', () => {
  const { own, others } = channelsFrom([row('b', '10.9.0.1'), row('c', '10.9.0.9', ['No', 'No'])], nameOf);
  expect(own).toBeNull();
  expect(others).toEqual([
    { name: 'b', source: 'db1', receiver: 'running', applier: 'running' },
    { name: 'c', source: null, receiver: 'stopped', applier: 'stopped' },
  ]);
});

it('the channel of a tail is ours, and one that only has its name is not', () => {
  expect(channelsFrom([row('standfast', 'standfast.invalid', ['No', 'Yes'])], nameOf).others).toEqual([]);
  expect(channelsFrom([row('standfast', '10.9.0.1')], nameOf).others).toMatchObject([{ name: 'standfast' }]);
});
