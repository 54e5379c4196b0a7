import { createHmac, timingSafeEqual } from 'node:crypto';

/** One line of a known_hosts file: which hosts it speaks of, and the key. Format: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
export interface KnownHostEntry {
  readonly marker: 'pinned' | 'revoked';
  readonly names: readonly string[];
  readonly keyType: string;
  /** The public key as it travels, in base64. */
  readonly key: string;
}

export type HostKeyVerdict = 'match' | 'mismatch' | 'unknown' | 'revoked';

/** The file holds a line that must not be passed over: what it says would silently not hold. */
export class KnownHostsError extends Error {
  constructor(line: number, reason: string) {
    super(`line ${String(line)} of known_hosts: ${reason}`);
    this.name = 'KnownHostsError';
  }
}

const BLANK = /^\s*(#.*)?$/;

/** Thousands of connections read the same file, one after the other. */
let latest: { readonly text: string; readonly entries: readonly KnownHostEntry[] } = { text: '', entries: [] };

/** @throws KnownHostsError for a malformed line, and for @cert-authority: certificates are not supported */
export function parseKnownHosts(text: string): readonly KnownHostEntry[] {
  if (text !== latest.text) latest = { text, entries: parseLines(text) };
  return latest.entries;
}

const parseLines = (text: string): KnownHostEntry[] =>
  text.split(/\r?\n/).flatMap((line, index) => (BLANK.test(line) ? [] : [parseLine(line.trim(), index + 1)]));

function parseLine(line: string, number: number): KnownHostEntry {
  const [, marker, rest] = /^(?:(@\S+)\s+)?(.*)$/.exec(line) ?? [];
  if (marker === '@cert-authority')
    throw new KnownHostsError(
      number,
      'found @cert-authority; host certificates are not supported, pin the host keys themselves',
    );
  if (marker !== undefined && marker !== '@revoked')
    throw new KnownHostsError(number, `found the marker ${marker}, allowed: @revoked`);
  const [names, keyType, key] = rest?.split(/\s+/) ?? [];
  if (names === undefined || keyType === undefined || key === undefined)
    throw new KnownHostsError(number, 'expected host names, a key type and a key');
  if (typeOfKey(Buffer.from(key, 'base64')) !== keyType)
    throw new KnownHostsError(number, `the key is not one of the type ${keyType}, or is cut short`);
  return { marker: marker === undefined ? 'pinned' : 'revoked', names: names.split(','), keyType, key };
}

/** A public key begins with its own type: a length in four bytes, then the name (RFC 4253, 6.6). */
function typeOfKey(key: Buffer): string | null {
  if (key.length < 4) return null;
  const length = key.readUInt32BE(0);
  return key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : null;
}

/** How a known_hosts file names a host at a port. */
export const nameAtPort = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${String(port)}`);

function matchesHash(pattern: string, name: string): boolean {
  const [, , salt, hash] = pattern.split('|');
  if (salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (pattern.startsWith('|1|')) return matchesHash(pattern, name);
  const expression = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(name);
}

/** A negated pattern that matches takes the whole line away, wherever it stands in it. */
function speaksOf(entry: KnownHostEntry, name: string): boolean {
  const isNegated = entry.names.some((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name));
  return !isNegated && entry.names.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, name));
}

interface Index {
  /** Entries that name hosts plainly, by each name. */
  readonly plain: ReadonlyMap<string, readonly KnownHostEntry[]>;
  /** Those with a hash, a wildcard or a negation: each has to be tried. */
  readonly patterns: readonly KnownHostEntry[];
}

const indexes = new WeakMap<readonly KnownHostEntry[], Index>();

const isPlain = ({ names }: KnownHostEntry): boolean => names.every((name) => !/^\||[*?!]/.test(name));

function indexOf(entries: readonly KnownHostEntry[]): Index {
  const known = indexes.get(entries);
  if (known !== undefined) return known;
  const plain = new Map<string, KnownHostEntry[]>();
  for (const entry of entries.filter(isPlain))
    for (const name of new Set(entry.names.map((one) => one.toLowerCase())))
      plain.set(name, [...(plain.get(name) ?? []), entry]);
  const index = { plain, patterns: entries.filter((entry) => !isPlain(entry)) };
  indexes.set(entries, index);
  return index;
}

function entriesFor(entries: readonly KnownHostEntry[], host: string, port: number): readonly KnownHostEntry[] {
  const name = nameAtPort(host.toLowerCase(), port);
  const { plain, patterns } = indexOf(entries);
  return [...(plain.get(name) ?? []), ...patterns.filter((entry) => speaksOf(entry, name))];
}

/** The keys that a host may show: pinned and not revoked. */
function pinnedFor(entries: readonly KnownHostEntry[], host: string, port: number): readonly KnownHostEntry[] {
  const all = entriesFor(entries, host, port);
  const revoked = new Set(all.filter((entry) => entry.marker === 'revoked').map((entry) => entry.key));
  return all.filter((entry) => entry.marker === 'pinned' && !revoked.has(entry.key));
}

export interface PresentedKey {
  readonly host: string;
  readonly port: number;
  /** The public key as it travels. */
  readonly key: Buffer;
}

/** Only `match` may be connected to: an unknown host is never accepted on trust. */
export function judgeHostKey(entries: readonly KnownHostEntry[], { host, port, key }: PresentedKey): HostKeyVerdict {
  const sameKey = entriesFor(entries, host, port).filter((entry) => Buffer.from(entry.key, 'base64').equals(key));
  if (sameKey.some((entry) => entry.marker === 'revoked')) return 'revoked';
  if (sameKey.length > 0) return 'match';
  return pinnedFor(entries, host, port).length > 0 ? 'mismatch' : 'unknown';
}

/** Key types to ask the host for, so that it does not show one that nobody pinned. */
export const pinnedKeyTypes = (entries: readonly KnownHostEntry[], host: string, port: number): string[] => [
  ...new Set(pinnedFor(entries, host, port).map((entry) => entry.keyType)),
];

/** Plain lines that pin the same keys in another file, for another host that has to reach this one. */
export const linesFor = (entries: readonly KnownHostEntry[], host: string, port: number): string[] =>
  pinnedFor(entries, host, port).map(({ keyType, key }) => `${nameAtPort(host, port)} ${keyType} ${key}`);
