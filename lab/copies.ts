import type { Lab } from './lab.ts';

const PROGRAMS = ['mariadb-backup', 'mbstream', 'dd', 'ssh'];

/** What a copy may leave on a host: its processes, keys that let somebody in, folders of jobs and of the data directory. */
export async function tracesOfCopies(lab: Lab, host: string): Promise<readonly string[]> {
  const place = lab.host(host);
  const running = PROGRAMS.filter((name) => place.processes(name).length > 0);
  const keys = await place.exec(['sh', '-c', 'grep standfast-job- ~standfast/.ssh/authorized_keys']);
  const folders = await place.exec(['find', '/var/lib/standfast/jobs', '/var/lib/mysql/.standfast', '-mindepth', '1']);
  return [...running, ...keys.stdout.split('\n'), ...folders.stdout.split('\n')].filter((line) => line !== '');
}

/** Every file of the data directory with its owner and size, every folder with its owner: a folder's size is a matter of the lab's file system. */
export async function dataDirectory(lab: Lab, host: string): Promise<readonly string[]> {
  const print = ['-type', 'd', '-printf', '%P %u\n', '-o', '-printf', '%P %u %s\n'];
  const found = await lab.host(host).exec(['find', '/var/lib/mysql', '-mindepth', '1', ...print]);
  return found.stdout.split('\n').sort();
}
