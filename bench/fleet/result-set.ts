// The bytes of the text protocol, made once where they do not change: the simulated servers must cost less than what is measured.
// Source: MySQL Internals, COM_QUERY Response, Protocol::ColumnDefinition41.

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

const LONGLONG = 8;
const VAR_STRING = 253;
const UTF8 = 33;
const AUTOCOMMIT = 2;
const NULL_VALUE = Buffer.of(0xfb);
const CUT_TO_ONE_BYTE = 251;

const packet = (sequence: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head.writeUInt8(sequence % 256, 3);
  return Buffer.concat([head, payload]);
};

/** A length, then the text. */
function lengthEncoded(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < CUT_TO_ONE_BYTE) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = Buffer.alloc(3, 0xfc);
  length.writeUInt16LE(bytes.length, 1);
  return Buffer.concat([length, bytes]);
}

const valueOf = (value: Value): Buffer => (value === null ? NULL_VALUE : lengthEncoded(String(value)));

function columnOf(name: string, example: Value): Buffer {
  const fixed = Buffer.alloc(13);
  fixed.writeUInt8(0x0c, 0);
  fixed.writeUInt16LE(UTF8, 1);
  fixed.writeUInt32LE(255, 3);
  fixed.writeUInt8(typeof example === 'number' ? LONGLONG : VAR_STRING, 7);
  return Buffer.concat([...['def', '', '', '', name, ''].map(lengthEncoded), fixed]);
}

const endOfFile = Buffer.of(0xfe, 0, 0, AUTOCOMMIT, 0);

/** The answer to a statement that changes, or says, nothing. */
export const okAnswer = (): Buffer => packet(1, Buffer.of(0, 0, 0, AUTOCOMMIT, 0, 0, 0));

export function errorAnswer(code: number, message: string): Buffer {
  const number = Buffer.alloc(2);
  number.writeUInt16LE(code);
  return packet(1, Buffer.concat([Buffer.of(0xff), number, Buffer.from(`#HY000${message}`)]));
}

/** Answers one kind of statement, whose columns are always the same. */
export class ResultSet {
  readonly #head: Buffer;
  readonly #columns: number;

  /** @param example names the columns, and what they hold: a number, or text */
  constructor(example: Row) {
    const columns = Object.entries(example);
    this.#columns = columns.length;
    this.#head = Buffer.concat([
      packet(1, Buffer.of(columns.length)),
      ...columns.map(([name, value], index) => packet(2 + index, columnOf(name, value))),
      packet(2 + columns.length, endOfFile),
    ]);
  }

  answer(rows: readonly Row[]): Buffer {
    const first = 3 + this.#columns;
    return Buffer.concat([
      this.#head,
      ...rows.map((row, index) => packet(first + index, Buffer.concat(Object.values(row).map(valueOf)))),
      packet(first + rows.length, endOfFile),
    ]);
  }
}
