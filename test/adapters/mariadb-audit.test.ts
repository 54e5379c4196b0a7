import { expect, it } from 'vitest';
import { nextStartFrom } from '../../adapters/mariadb-audit.ts';

it('the settings of the next start are said as a running server says them', () => {
  const { settings, filters, errors } = nextStartFrom({
    values:
      'read_only=TRUE\nevent_scheduler=OFF\nlog_bin=mariadb-bin\nrpl_semi_sync_slave_enabled=FALSE\nsync_binlog=1',
    filters: 'binlog_do_db=shop',
  });
  expect(settings).toEqual({
    ...{ read_only: 'ON', event_scheduler: 'OFF', log_bin: 'ON', rpl_semi_sync_slave_enabled: 'OFF', sync_binlog: '1' },
  });
  expect(filters).toEqual(['binlog_do_db=shop']);
  expect(errors).toEqual([]);
  expect(nextStartFrom({ values: 'log_bin=(No default value)' }).settings).toEqual({ log_bin: 'OFF' });
});

it('what the program does not accept is told without its value', () => {
  const { errors } = nextStartFrom({ errors: "mariadbd: unknown variable 'password=hunter2'" });
  expect(errors).toEqual(["mariadbd: unknown variable 'password=…'"]);
});
