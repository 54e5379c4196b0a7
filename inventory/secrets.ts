import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** The reference could not be followed. The message never holds a part of the secret. */
export class SecretError extends Error {
  readonly reference: string;

  constructor(reference: string, reason: string) {
    super(`the secret ${reference} cannot be read: ${reason}`);
    this.name = 'SecretError';
    this.reference = reference;
  }
}

const EXEC_TIMEOUT_MS = 10_000;
const codeOf = (error: unknown): string => String((error as { code?: string | number | null }).code ?? 'unknown error');

/** What was read from the environment is kept here and taken out of it: hooks and other programs that are started later inherit the rest. */
const taken = new Map<string, string>();

function fromEnvironment(name: string): string {
  const value = process.env[name] ?? taken.get(name);
  if (value === undefined) throw new Error('the environment has no such variable; set it for this process');
  taken.set(name, value);
  Reflect.deleteProperty(process.env, name);
  return value;
}

async function fromFile(file: string): Promise<string> {
  const facts = await stat(file).catch((error: unknown) => {
    throw new Error(`${codeOf(error)}; check the path and who may read it`);
  });
  if (!facts.isFile()) throw new Error('it is not a regular file');
  const mode = facts.mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new Error(
      `its group or others have access to it (mode ${mode.toString(8).padStart(4, '0')}); run: chmod 600 ${file}`,
    );
  return await contentOf(file);
}

async function contentOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`${codeOf(error)}; check who may read it`);
  });
}

/** systemd keeps the folder private, whatever the mode of the file says. */
async function fromCredential(name: string): Promise<string> {
  const folder = process.env['CREDENTIALS_DIRECTORY'];
  if (folder === undefined)
    throw new Error('CREDENTIALS_DIRECTORY is not set; start the service with LoadCredential= for it');
  return await contentOf(path.join(folder, name));
}

/** Without a shell; its error output is not repeated, since it may show what it handles. */
function fromCommand(commandLine: string): Promise<string> {
  const [command = '', ...args] = commandLine.split(/\s+/);
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: EXEC_TIMEOUT_MS, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.killed === true)
        reject(new Error(`the command did not end within ${String(EXEC_TIMEOUT_MS / 1000)} s`));
      else reject(new Error(`the command ended with ${codeOf(error)}; run it by hand to see why`));
    });
  });
}

const SOURCES: Readonly<Record<string, (rest: string) => string | Promise<string>>> = {
  env: fromEnvironment,
  file: fromFile,
  credential: fromCredential,
  exec: fromCommand,
};

/**
 * Follows a reference (`env:`, `file:`, `credential:`, `exec:`), now and not before. One line end at the end is not part of it.
 * @throws SecretError also for an empty secret, and for a file that others may read
 */
export async function resolveSecret(reference: string): Promise<string> {
  const [, scheme = '', rest = ''] = /^([a-z]+):([^]*)$/.exec(reference) ?? [];
  const read = Object.hasOwn(SOURCES, scheme) ? SOURCES[scheme] : undefined;
  // A text that is no reference may be the secret itself: it is not repeated.
  if (read === undefined) throw new SecretError('(not shown)', 'expected env:, file:, credential: or exec: before it');
  try {
    const secret = (await read(rest)).replace(/\r?\n$/, '');
    if (secret === '') throw new Error('it is empty');
    return secret;
  } catch (error) {
    throw new SecretError(reference, (error as Error).message);
  }
}
