import { readFileSync, writeFileSync } from 'node:fs';
import type { Lab } from './lab.ts';
import { LabError } from './run.ts';

export const UPLOADS = '/srv/uploads/';

/** Gives the cluster of the lab a fileset; undone by the returned function. */
export function declareUploads(lab: Lab, settings = ''): () => void {
  const file = lab.etc('standfast.yaml');
  const before = readFileSync(file, 'utf8');
  const declared = `    files:\n      uploads: { path: ${UPLOADS}, maxDelete: 5${settings} }\n    hooks:`;
  writeFileSync(file, before.replace(/ {4}files:\n.*\n/, '').replace('    hooks:', declared));
  return () => {
    writeFileSync(file, before);
  };
}

/** In the folder, whether it is there or not. */
export async function inUploads(lab: Lab, host: string, script: string): Promise<string> {
  const done = await lab.host(host).exec(['bash', '-c', `cd ${UPLOADS} 2>/dev/null; ${script}`]);
  if (done.exitCode !== 0) throw new LabError(`${script} on ${host}: ${done.stderr}${done.stdout}`);
  return done.stdout.trim();
}

/** A marked folder with twenty files on db1, empty ones on the others. */
export async function makeUploads(lab: Lab): Promise<void> {
  for (const host of ['db1', 'db2', 'db3'])
    await inUploads(lab, host, `cd /; rm -rf ${UPLOADS} /var/lib/standfast/files; mkdir -p ${UPLOADS}`);
  await inUploads(lab, 'db1', 'touch .standfast; mkdir 2026; for i in {1..20}; do echo "$i" >"2026/$i"; done');
}

/** Every file with its content, but for our own three names; nothing when there is no folder. */
export const uploadsOn = (lab: Lab, host: string): Promise<string> =>
  inUploads(
    lab,
    host,
    `[ "$PWD/" = ${UPLOADS} ] || exit 0
     find . -path './.standfast-*' -prune -o -type f -print0 | sort -z | xargs -0r sha256sum`,
  );
