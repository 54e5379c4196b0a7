import type { Host, Seat } from './machine.ts';
import { must, plainEnvironment } from './run.ts';

const PORT = 13_306;
const TABLE = 'slow_greeting';

export interface SlowDoor {
  readonly from: Seat;
  /** A third place, through which the connections go: one that begins at `from` would be led in a circle. */
  readonly through: Seat;
  readonly to: Host;
  readonly delayMs: number;
}

/**
 * New connections from a seat to a host's database server are greeted late, as by a server that waits for its name service. Those that are open stay as they are.
 * @returns what ends it, and the connections that came that way
 */
export async function slowGreeting({ from, through, to, delayMs }: SlowDoor): Promise<() => Promise<void>> {
  const wait = `sleep ${(delayMs / 1000).toFixed(3)}; exec socat STDIO TCP:${to.address}:3306`;
  const door = through.spawn(['socat', `TCP-LISTEN:${String(PORT)},fork,reuseaddr`, `SYSTEM:${wait}`], {
    ...{ env: plainEnvironment, cwd: '/', detached: true, stdio: 'ignore' },
  });
  const nft = (commands: string): Promise<string> =>
    must(['nsenter', `--net=/run/netns/${from.namespace}`, 'nft', '-f', '-'], { input: commands });
  await nft(`table ip ${TABLE} {
    chain output {
      type nat hook output priority -100; policy accept;
      ip daddr ${to.address} tcp dport 3306 dnat to ${through.address}:${String(PORT)}
    }
  }\n`);
  return async () => {
    await nft(`delete table ip ${TABLE}\n`);
    if (door.pid !== undefined) process.kill(-door.pid, 'SIGKILL');
  };
}
