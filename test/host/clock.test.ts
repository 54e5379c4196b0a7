import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Sandbox } from './sandbox.ts';

// A wall clock that is set while an order waits, as NTP does after a boot: the wait is as long as it was meant to be.

const order = { owner: 'plane-1', epoch: 1, run: 'run-1' };
const CLOCK = '/tmp/wall-clock';
const SYSTEMCTL = `#!/bin/bash
case "$*" in
  *'-p Id '*) echo mariadb.service ;;
  *'-p LoadState '*) echo masked ;;
  *'-p ActiveState '*) echo activating ;;
esac
`;

let host: Sandbox;
let library: string;
beforeAll(async () => {
  host = await Sandbox.start('db1');
  host.fields('claim', { ...order, account: 'standfast' });
  host.shell(`mkdir -p /run/systemd/system; cat >/usr/sbin/systemctl <<'END'\n${SYSTEMCTL}END
    chmod 755 /usr/sbin/systemctl`);
  library = host.shell('ls /usr/lib/*/faketime/libfaketime.so.1');
});
afterAll(() => host.stop());
beforeEach(() => {
  setClock(0);
});

const setClock = (seconds: number): void => {
  host.shell(`echo ${seconds < 0 ? '-' : '+'}${String(Math.abs(seconds))}s >${CLOCK}.new; mv ${CLOCK}.new ${CLOCK}`);
};

/** A fence that waits for five seconds in vain, since systemd is about to start the server again; milliseconds. */
// In a program of its own: bash reads its environment too late for this library, and takes the clock from its parent.
const waitOf = async (meanwhile: () => void): Promise<number> => {
  const from = performance.now();
  const fence = host.start(
    ...['env', `LD_PRELOAD=${library}`, `FAKETIME_TIMESTAMP_FILE=${CLOCK}`, 'FAKETIME_NO_CACHE=1'],
    ...['FAKETIME_DONT_FAKE_MONOTONIC=1', 'timeout', '12', '/usr/local/sbin/standfast-host', 'fence'],
    ...Object.entries(order).map(([key, value]) => `${key}=${String(value)}`),
  );
  const ended = once(fence, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  meanwhile();
  await ended;
  return performance.now() - from;
};

it.each([
  ['back', -3600],
  ['forward', 3600],
])('an order waits as long as it was meant to when the clock is set %s by an hour', async (_, seconds) => {
  const waited = await waitOf(() => {
    setClock(seconds);
  });
  expect(waited).toBeGreaterThan(5_000);
  expect(waited).toBeLessThan(9_000);
});
