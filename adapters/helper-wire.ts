import type { FailureType } from '../domain/failure.ts';
import type { HelperAnswerFields } from './ports.ts';

// The line protocol of docs/host-helper.md.

export const HELPER_PROTOCOL = '1';

const ESCAPES: readonly (readonly [plain: string, code: string])[] = [
  ['%', '%25'],
  ['\t', '%09'],
  ['\n', '%0A'],
  ['\r', '%0D'],
];
// eslint-disable-next-line no-control-regex -- control characters are what must not travel
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const KEY = /^[a-z][a-z0-9_]*$/;
const TYPES: readonly FailureType[] = ['Stale', 'Unsafe', 'BadInput', 'Unverified', 'NotYet'];

export const encodeValue = (value: string): string => value.replace(/[%\t\n\r]/g, (found) => codeOf(found));
export const decodeValue = (value: string): string => value.replace(/%(25|09|0A|0D)/g, (code) => plainOf(code));

const codeOf = (plain: string): string => ESCAPES.find(([from]) => from === plain)?.[1] ?? plain;
const plainOf = (code: string): string => ESCAPES.find(([, to]) => to === code)?.[0] ?? code;

export interface HelperRequest {
  readonly verb: string;
  readonly args: Readonly<Record<string, string>>;
}

/** Why a request cannot be sent, or null. The value itself is not shown: it may be long. */
export function faultOfRequest({ verb, args }: HelperRequest): string | null {
  if (!/^[a-z][a-z-]*$/.test(verb)) return `${JSON.stringify(verb)} is not a verb`;
  for (const [key, value] of Object.entries(args)) {
    if (!KEY.test(key)) return `${JSON.stringify(key)} is not the name of an argument`;
    if (CONTROL.test(value)) return `the argument ${key} has a control character that cannot travel`;
  }
  return null;
}

export const renderRequest = (id: string, { verb, args }: HelperRequest): string =>
  `${[id, verb, ...Object.entries(args).map(([key, value]) => `${key}=${encodeValue(value)}`)].join('\t')}\n`;

export type HelperReply =
  | { readonly kind: 'ok'; readonly id: string; readonly fields: HelperAnswerFields }
  | { readonly kind: 'fail'; readonly id: string; readonly type: FailureType; readonly message: string }
  | { readonly kind: 'garbled' };

/** An answer that belongs to a request. */
export type HelperAnswer = Exclude<HelperReply, { kind: 'garbled' }>;

export function parseReply(line: string): HelperReply {
  const [id = '', status, ...rest] = line.split('\t');
  if (status === 'fail') {
    const [name, message] = rest;
    const type = TYPES.find((candidate) => candidate === name);
    if (type === undefined || message === undefined) return { kind: 'garbled' };
    return { kind: 'fail', id, type, message: decodeValue(message) };
  }
  if (status !== 'ok') return { kind: 'garbled' };
  const pairs = rest.map((field) => /^([^=]+)=(.*)$/.exec(field));
  if (pairs.includes(null)) return { kind: 'garbled' };
  const fields = pairs.map((pair) => [pair?.[1] ?? '', decodeValue(pair?.[2] ?? '')] as const);
  return { kind: 'ok', id, fields: Object.fromEntries(fields) };
}
