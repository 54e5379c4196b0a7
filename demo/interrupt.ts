import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENDINGS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

/**
 * Ctrl-C in the middle: everything that was made is removed, whatever state it is in. Returns what ends that.
 * Synchronous, so that nothing more is made meanwhile, and in a session of its own, which a second Ctrl-C does not reach.
 */
export function removeOnInterrupt(lab: string, tell: (line: string) => void): () => void {
  const program = fileURLToPath(new URL('../lab/main.js', import.meta.url));
  const removals = ENDINGS.map(([signal, exitCode]) => {
    const remove = (): void => {
      tell(`${signal}: removing the hosts, Temporal and the workers`);
      const { status } = spawnSync('setsid', ['--wait', process.execPath, program, '--name', lab, 'down'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      tell(status === 0 ? 'all of it is gone' : `something is left; remove it with npm run lab -- --name ${lab} down`);
      process.exit(exitCode);
    };
    process.on(signal, remove);
    return () => process.off(signal, remove);
  });
  return () => {
    for (const forget of removals) forget();
  };
}
