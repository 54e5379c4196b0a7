import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { addressOf } from './network.ts';
import { runInImage } from './machine.ts';
import { LabError } from './run.ts';
import { projectFolder, type LabState } from './state.ts';

export const helperInstaller = path.join(projectFolder, 'adapters', 'host', 'install.sh');

/** The layer under all hosts, built in the lab itself so that nothing depends on what else the machine was used for. */
export async function buildBase(state: LabState): Promise<void> {
  const folder = path.join(projectFolder, 'lab', 'host');
  await runInImage(state, 'base', { argv: ['bash', path.join(folder, 'build-base.sh'), folder] });
}

/** Gives each host its identity and, unless `withHelper` is false, the product's helper. */
export async function prepareHosts(state: LabState, options: { readonly withHelper: boolean }): Promise<void> {
  if (options.withHelper && !existsSync(helperInstaller)) {
    throw new LabError(
      `${helperInstaller} does not exist, so the hosts would have no helper; nothing was booted. Restore the file from the repository.`,
    );
  }
  const key = options.withHelper ? readFileSync(path.join(state.folder, 'etc', 'ssh_key.pub'), 'utf8').trim() : '';
  const names = [...state.hosts, 'app', 'control'].map((name) => `${addressOf(state, name)} ${name}\n`).join('');
  const script = path.join(projectFolder, 'lab', 'host', 'prepare-host.sh');
  await Promise.all(
    state.hosts.map((host, index) =>
      runInImage(state, host, {
        argv: ['bash', script, projectFolder, key, index === 0 ? 'primary' : 'standby'],
        input: names,
      }),
    ),
  );
}
