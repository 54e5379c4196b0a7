import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Speaks the helper's protocol and does what a test asks: answers, waits for a file, dies, or talks nonsense. */
const HELPER = `#!/bin/bash
cd "$(dirname "$0")" || exit
while IFS=$'\\t' read -r id verb rest; do
  case $verb in
    hello) printf '%s\\tok\\tprotocol=1\\n' "$id" ;;
    echo) printf '%s\\tok\\t%s\\n' "$id" "$rest" ;;
    pid) printf '%s\\tok\\tpid=%s\\tparent=%s\\n' "$id" "$$" "$PPID" ;;
    count) printf 'x' >>counted; printf '%s\\tok\\n' "$id" ;;
    observe | order) echo "$verb" >>started; until [[ -e released ]]; do sleep 0.02; done; printf '%s\\tok\\tlate=yes\\n' "$id" ;;
    refuse) printf '%s\\tfail\\tStale\\tepoch 7 is older%%09than 8\\n' "$id" ;;
    die | service-stop) exit 3 ;;
    records) printf 'x' >>counted; exit 3 ;;
    babble) printf 'Welcome to db1!\\n' ;;
    other) printf '999\\tok\\n' ;;
    strange) printf '%s\\tfail\\tOops\\tmessage\\n' "$id" ;;
  esac
done
`;

export interface TestSshd {
  readonly folder: string;
  readonly port: number;
  readonly privateKey: string;
  /** known_hosts text that pins this server. */
  readonly pinned: string;
  /** What starts the helper on it. */
  readonly command: string;
  readonly process: ChildProcess;
  file(name: string): string;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function key(folder: string, name: string): { readonly secret: string; readonly public: string } {
  const file = path.join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
  return { secret: readFileSync(file, 'utf8'), public: readFileSync(`${file}.pub`, 'utf8').trim() };
}

async function untilListening(port: number, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => {
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    socket.destroy();
    if (isOpen) return;
  }
  throw new Error(`sshd ended with ${String(server.exitCode)} before it listened`);
}

/** A real sshd on a loopback port, with keys and configuration of its own. */
export async function startSshd(): Promise<TestSshd> {
  const folder = mkdtempSync(path.join(tmpdir(), 'standfast-sshd-'));
  const file = (name: string): string => path.join(folder, name);
  const [host, user, port] = [key(folder, 'host_key'), key(folder, 'user_key'), await freePort()];
  writeFileSync(file('authorized_keys'), `${user.public}\n`);
  writeFileSync(file('helper'), HELPER);
  chmodSync(file('helper'), 0o755);
  const settings = [
    `Port ${String(port)}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host_key')}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    `PidFile ${file('pid')}`,
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'UsePAM no',
    'MaxStartups 100',
  ];
  writeFileSync(file('config'), `${settings.join('\n')}\n`);
  mkdirSync('/run/sshd', { recursive: true });
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('config')], { stdio: ['ignore', 'ignore', 'ignore'] });
  await untilListening(port, server);
  return {
    folder,
    port,
    privateKey: user.secret,
    pinned: `[127.0.0.1]:${String(port)} ${host.public}\n`,
    command: file('helper'),
    process: server,
    file,
    stop: async () => {
      if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
