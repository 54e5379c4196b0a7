import { connect } from 'node:net';
import { isMarked } from './greetings.ts';

// A program: connects to its first argument again and again, appends one line "MICROSECONDS MARKED" per greeting to its standard output, and ends when its input ends.
// It runs at an application's place.

const EVERY_MS = 2;
const DEADLINE_MS = 50;
const [host = ''] = process.argv.slice(2);

/** One that is not answered keeps no other from asking: the kernel would send its SYN again only after a second. */
function knock(): void {
  const socket = connect({ host, port: 3306 });
  socket.setTimeout(DEADLINE_MS, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.once('data', (packet: Buffer) => {
    const at = process.hrtime.bigint() / 1_000n;
    const marked = isMarked(packet);
    if (marked !== null) process.stdout.write(`${String(at)} ${marked ? '1' : '0'}\n`);
    socket.destroy();
  });
}

const timer = setInterval(knock, EVERY_MS);
process.stdin.once('end', () => {
  clearInterval(timer);
});
process.stdin.resume();
