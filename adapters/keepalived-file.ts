/** What a configuration of keepalived says of the addresses that it moves; written by whomever. */
export interface KeepalivedFile {
  readonly instances: readonly VrrpInstance[];
}

export interface VrrpInstance {
  readonly name: string;
  readonly interface: string | null;
  readonly routerId: number | null;
  readonly priority: number | null;
  readonly addresses: readonly {
    readonly address: string;
    readonly prefix: number | null;
    readonly device: string | null;
  }[];
}

/** Source: keepalived.conf(5). Comments begin with # or !; a block is NAME ARGUMENT… { … }. */
export function parseKeepalivedFile(text: string): KeepalivedFile {
  const words = text
    .split('\n')
    .flatMap((line) => [...(line.replace(/[#!].*$/, '').match(/"[^"]*"|[{}]|[^\s{}]+/g) ?? []), '\n']);
  return { instances: blocksOf(words, 'vrrp_instance').map(({ head, body }) => instanceFrom(head, body)) };
}

interface Block {
  readonly head: string;
  readonly body: readonly string[];
}

function blocksOf(words: readonly string[], keyword: string): readonly Block[] {
  const blocks: Block[] = [];
  for (let at = words.indexOf(keyword); at !== -1; at = words.indexOf(keyword, at + 1)) {
    const open = words.indexOf('{', at);
    if (open === -1) break;
    let depth = 1;
    let end = open + 1;
    while (end < words.length && depth > 0) {
      if (words[end] === '{') depth += 1;
      if (words[end] === '}') depth -= 1;
      end += 1;
    }
    const head = words.slice(at + 1, open).filter((word) => word !== '\n');
    blocks.push({ head: head.join(' '), body: words.slice(open + 1, depth === 0 ? end - 1 : end) });
  }
  return blocks;
}

function instanceFrom(name: string, body: readonly string[]): VrrpInstance {
  const lines = linesOf(body);
  const valueOf = (key: string): string | null => lines.find(([first]) => first === key)?.[1] ?? null;
  const numberOf = (key: string): number | null => {
    const value = valueOf(key);
    return value !== null && /^\d+$/.test(value) ? Number(value) : null;
  };
  return {
    name,
    interface: valueOf('interface'),
    routerId: numberOf('virtual_router_id'),
    priority: numberOf('priority'),
    addresses: blocksOf(body, 'virtual_ipaddress').flatMap((block) => linesOf(block.body).flatMap(addressFrom)),
  };
}

const linesOf = (words: readonly string[]): readonly (readonly string[])[] =>
  words
    .join(' ')
    .split('\n')
    .map((line) => line.trim().split(/\s+/).filter(Boolean))
    .filter((line) => line.length > 0);

function addressFrom(line: readonly string[]): VrrpInstance['addresses'] {
  const [, address, prefix] = /^((?:\d{1,3}\.){3}\d{1,3})(?:\/(\d{1,2}))?$/.exec(line[0] ?? '') ?? [];
  if (address === undefined) return [];
  const device = line.indexOf('dev');
  return [
    {
      address,
      prefix: prefix === undefined ? null : Number(prefix),
      device: device === -1 ? null : (line[device + 1] ?? null),
    },
  ];
}
