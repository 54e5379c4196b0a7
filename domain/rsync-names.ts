import type { FileName } from './filesets.ts';

// rsync writes one entry a line: eleven characters that say what happens, a space, and the name, in which whatever is not printable ASCII is \#ooo (octal).

const NAME_AT = 12;
const ESCAPED = /\\#([0-7]{3})/g;

/** @param lines as rsync itemizes them */
export const namesIn = (lines: string): readonly FileName[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => nameOf(line.slice(NAME_AT)));

function nameOf(written: string): FileName {
  const bytes = bytesOf(written);
  const path = fromUtf8(bytes);
  return path.includes('\uFFFD') ? { path, bytes: toBase64(bytes) } : { path };
}

function bytesOf(written: string): readonly number[] {
  const bytes: number[] = [];
  let at = 0;
  const plain = (until: number): void => {
    for (; at < until; at += 1) bytes.push(written.charCodeAt(at));
  };
  for (const match of written.matchAll(ESCAPED)) {
    plain(match.index);
    bytes.push(Number.parseInt(match[1] ?? '', 8));
    at = match.index + match[0].length;
  }
  plain(written.length);
  return bytes;
}

/** Length of a UTF-8 sequence by its first byte, what that byte says of the character, and the least character that needs so many bytes. */
const SEQUENCES = [
  { mask: 0x80, lead: 0x00, length: 1, least: 0 },
  { mask: 0xe0, lead: 0xc0, length: 2, least: 0x80 },
  { mask: 0xf0, lead: 0xe0, length: 3, least: 0x800 },
  { mask: 0xf8, lead: 0xf0, length: 4, least: 0x10000 },
] as const;

const isCharacter = (point: number): boolean => point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);

function fromUtf8(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const sequence = SEQUENCES.find(({ mask, lead }) => (first & mask) === lead);
    const rest = bytes.slice(at + 1, at + (sequence?.length ?? 1));
    const isWhole = rest.length + 1 === sequence?.length && rest.every((byte) => (byte & 0xc0) === 0x80);
    const point = isWhole ? rest.reduce((sum, byte) => sum * 64 + (byte & 0x3f), first & ~sequence.mask) : -1;
    const isSound = sequence !== undefined && point >= sequence.least && isCharacter(point);
    text += isSound ? String.fromCodePoint(point) : '\uFFFD';
    at += isSound ? sequence.length : 1;
  }
  return text;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function toBase64(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.slice(at, at + 3);
    const group = first * 65_536 + second * 256 + third;
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET[(group >> shift) & 63] ?? '').join('');
    text += digits.slice(0, Math.min(4, bytes.length - at + 1)).padEnd(4, '=');
  }
  return text;
}
