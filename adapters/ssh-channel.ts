import type { ClientChannel } from 'ssh2';
import type { HelperAnswer, HelperRequest } from './helper-wire.ts';
import { parseReply, renderRequest } from './helper-wire.ts';
import type { SshPlace } from './ssh-failure.ts';
import { SshFailure } from './ssh-failure.ts';

const LONGEST_ANSWER = 4 * 1024 * 1024;
const LONGEST_COMPLAINT = 400;

interface Waiting {
  readonly id: string;
  readonly resolve: (reply: HelperAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One `serve` process of the host helper: one request at a time, answers in order. */
export class HelperChannel {
  readonly #stream: ClientChannel;
  readonly #place: SshPlace;
  #received = '';
  #complaint = '';
  #lastId = 0;
  #hasAnswered = false;
  #waiting: Waiting | null = null;
  #failure: SshFailure | null = null;

  constructor(stream: ClientChannel, place: SshPlace) {
    this.#stream = stream;
    this.#place = place;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      this.#receive(text);
    });
    stream.stderr.setEncoding('utf8');
    stream.stderr.on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-LONGEST_COMPLAINT);
    });
    stream.on('error', (error: Error) => {
      this.#end(new SshFailure({ place, reason: 'closed', cause: error }));
    });
    // "close" comes after "exit" and after the last of the error output.
    stream.on('close', (code: number | null | undefined) => {
      this.#end(this.#endOfStream(code));
    });
  }

  get isUsable(): boolean {
    return this.#failure === null && this.#waiting === null;
  }

  exchange(request: HelperRequest): Promise<HelperAnswer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waiting !== null) return Promise.reject(new Error('a channel carries one request at a time'));
    this.#lastId += 1;
    const id = String(this.#lastId);
    return new Promise((resolve, reject) => {
      this.#waiting = { id, resolve, reject };
      this.#stream.write(renderRequest(id, request));
    });
  }

  /** The helper sees the end of its input and ends; an answer that is under way is never read. */
  close(): void {
    this.#end(new SshFailure({ place: this.#place, reason: 'closed', detail: 'by this side' }));
    this.#stream.close();
  }

  #receive(text: string): void {
    this.#received += text;
    for (let end = this.#received.indexOf('\n'); end >= 0; end = this.#received.indexOf('\n')) {
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 1);
      this.#answer(line);
    }
    if (this.#received.length > LONGEST_ANSWER) this.#garbled('an answer without an end');
  }

  #answer(line: string): void {
    const reply = parseReply(line);
    if (reply.kind === 'garbled' || this.#waiting?.id !== reply.id) {
      this.#garbled('a line that is not the answer to the request');
      return;
    }
    const { resolve } = this.#waiting;
    this.#waiting = null;
    this.#hasAnswered = true;
    resolve(reply);
  }

  #garbled(detail: string): void {
    this.#end(new SshFailure({ place: this.#place, reason: 'protocol', detail }));
    this.#stream.close();
  }

  /** An account that may not run the helper, or a host without one, ends before the first answer with a status of its own. */
  #endOfStream(code: number | null | undefined): SshFailure {
    const isMissing = !this.#hasAnswered && typeof code === 'number' && code !== 0;
    const said = this.#complaint.trim().replace(/\s+/g, ' ');
    const detail = [
      ...(typeof code === 'number' ? [`status ${String(code)}`] : []),
      ...(said === '' ? [] : [said]),
    ].join(': ');
    return new SshFailure({ place: this.#place, reason: isMissing ? 'not-installed' : 'closed', detail });
  }

  #end(failure: SshFailure): void {
    this.#failure ??= failure;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#failure);
  }
}
