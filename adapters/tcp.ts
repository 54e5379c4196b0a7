import { connect } from 'node:net';
import type { Endpoint } from './ports.ts';

/** `refuses`: a kernel answers there, and nobody listens. `silent`: nothing answers. */
export type TcpAnswer = 'accepts' | 'refuses' | 'silent';

/** A kernel repeats a lost packet after a second; other connections are tried before that. */
const TRY_EVERY_MS = 60;

/** One answer to any of several connections is enough. Silent only when `timeoutMs` is over. */
export function probeTcp({ address, port }: Endpoint, timeoutMs: number): Promise<TcpAnswer> {
  return new Promise((resolve) => {
    const sockets: ReturnType<typeof connect>[] = [];
    const settle = (answer: TcpAnswer): void => {
      clearInterval(trying);
      clearTimeout(ending);
      for (const socket of sockets) socket.destroy();
      resolve(answer);
    };
    const attempt = (): void => {
      const socket = connect({ host: address, port });
      sockets.push(socket);
      socket.once('connect', () => {
        settle('accepts');
      });
      // Other errors say that nothing was heard, which the next attempt may.
      socket.on('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'ECONNREFUSED') settle('refuses');
      });
    };
    const trying = setInterval(attempt, TRY_EVERY_MS);
    const ending = setTimeout(settle, timeoutMs, 'silent' as const);
    attempt();
  });
}
