import type {
  KeepalivedConfiguration,
  Tracked,
  TrackFile,
  VrrpInstance,
  VrrpScript,
} from '../domain/audit/keepalived-facts.ts';
import { processName } from '../domain/audit/vip-judgements.ts';
import type { Directive } from './keepalived-parser.ts';
import { parseKeepalivedFiles } from './keepalived-parser.ts';

const MAIN = '/etc/keepalived/keepalived.conf';
/** VRRP 2 takes no more of a password. Source: RFC 2338, 10.3. */
const PASSWORD_LENGTH = 8;

/** Gives each different password of a cluster a number, so that they can be compared without being told. */
export class Passwords {
  readonly #known: string[] = [];

  number(password: string): number {
    const cut = password.slice(0, PASSWORD_LENGTH);
    if (!this.#known.includes(cut)) this.#known.push(cut);
    return this.#known.indexOf(cut) + 1;
  }
}

/** What keepalived would do with these files; their passwords stay here. Defaults: keepalived.conf(5). */
export function readKeepalived(files: Readonly<Record<string, string>>, passwords: Passwords): KeepalivedConfiguration {
  const { directives, unread, faults } = parseKeepalivedFiles(files, MAIN);
  const global = directives.filter(({ words }) => words[0] === 'global_defs').flatMap(({ children }) => children);
  const blocks = (kind: string): readonly Directive[] => directives.filter(({ words }) => words[0] === kind);
  return {
    instances: blocks('vrrp_instance').map((block) => instanceOf(block, passwords)),
    scripts: blocks('vrrp_script').map(scriptOf),
    trackFiles: [...blocks('track_file'), ...blocks('vrrp_track_file')].map(trackFileOf),
    vrrpVersion: Number(valueIn(global, 'vrrp_version') ?? '2'),
    scriptSecurity: global.some(({ words }) => words[0] === 'enable_script_security'),
    unread,
    faults,
  };
}

const valueIn = (directives: readonly Directive[], name: string): string | undefined =>
  directives.findLast(({ words }) => words[0] === name)?.words[1];
const has = (directives: readonly Directive[], name: string): boolean =>
  directives.some(({ words }) => words[0] === name);
const linesIn = (directives: readonly Directive[], name: string): readonly Directive[] =>
  directives.filter(({ words }) => words[0] === name).flatMap(({ children }) => children);

function instanceOf({ words, children }: Directive, passwords: Passwords): VrrpInstance {
  const authentication = linesIn(children, 'authentication');
  const password = valueIn(authentication, 'auth_pass');
  const routerId = valueIn(children, 'virtual_router_id');
  const [addresses, excluded] = ['virtual_ipaddress', 'virtual_ipaddress_excluded'].map((name) =>
    linesIn(children, name),
  );
  return {
    name: words[1] ?? '',
    state: (valueIn(children, 'state') ?? 'BACKUP').toUpperCase(),
    interface: valueIn(children, 'interface') ?? '',
    routerId: routerId === undefined ? null : Number(routerId),
    priority: Number(valueIn(children, 'priority') ?? '100'),
    advertSeconds: Number(valueIn(children, 'advert_int') ?? '1'),
    nopreempt: has(children, 'nopreempt'),
    peers: linesIn(children, 'unicast_peer').map((line) => line.words[0] ?? ''),
    sourceAddress: valueIn(children, 'unicast_src_ip') ?? '',
    addresses: [...(addresses ?? []), ...(excluded ?? [])].map((line) => (line.words[0] ?? '').split('/')[0] ?? ''),
    trackedScripts: linesIn(children, 'track_script').map(trackedOf),
    trackedFiles: linesIn(children, 'track_file').map(trackedOf),
    authType: valueIn(authentication, 'auth_type') ?? '',
    passwordNumber: password === undefined ? null : passwords.number(password),
    passwordTooLong: (password ?? '').length > PASSWORD_LENGTH,
  };
}

function trackedOf({ words }: Directive): Tracked {
  const at = words.indexOf('weight');
  return { name: words[0] ?? '', weight: at === -1 ? null : Number(words[at + 1]) };
}

/** A check may log in somewhere: of a command that is more than a question for a process, only the program goes into a run. */
function scriptOf({ words, children }: Directive): VrrpScript {
  const command =
    children
      .findLast(({ words: line }) => line[0] === 'script')
      ?.words.slice(1)
      .join(' ') ?? '';
  const [program = '', ...rest] = command.split(/\s+/);
  const isWhole = rest.length === 0 || processName({ command }) !== null;
  return {
    name: words[1] ?? '',
    command: isWhole ? command : `${program} …`,
    weight: Number(valueIn(children, 'weight') ?? '0'),
  };
}

const trackFileOf = ({ words, children }: Directive): TrackFile => {
  const weight = children.findLast(({ words: line }) => line[0] === 'weight')?.words ?? [];
  return {
    name: words[1] ?? '',
    file: valueIn(children, 'file') ?? '',
    weight: Number(weight[1] ?? '1'),
    reverse: weight.includes('reverse'),
  };
};
