import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../lab/state.ts';

/** A fenced block of the page. Its info string says what it is: see "How this page is tested", at its end. */
export interface Block {
  readonly kind: string;
  /** What follows the kind: a host, a host and a path, or an exit code. */
  readonly words: readonly string[];
  readonly text: string;
  readonly line: number;
}

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export function readPage(name: string): readonly Section[] {
  const sections: { title: string; blocks: Block[] }[] = [];
  let open: { info: string; line: number; lines: string[] } | undefined;
  for (const [at, line] of readFileSync(path.join(projectFolder, 'docs', name), 'utf8')
    .split('\n')
    .entries()) {
    if (open === undefined && line.startsWith('## ')) sections.push({ title: line.slice(3), blocks: [] });
    else if (open === undefined && line.startsWith('```')) open = { info: line.slice(3), line: at + 1, lines: [] };
    else if (open !== undefined && line === '```') {
      const [kind = '', ...words] = open.info.split(' ');
      sections.at(-1)?.blocks.push({ kind, words, text: `${open.lines.join('\n')}\n`, line: open.line });
      open = undefined;
    } else open?.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${name}:${String(open.line)}: the block has no end`);
  return sections;
}

/** The first line that is shown and was not printed, after those before it; undefined when all were. Numbers may differ, and `…` is anything. */
export function notPrinted(shown: string, printed: string): string | undefined {
  const lines = printed.split('\n').map(squeezed);
  let at = 0;
  for (const line of shown.split('\n').map(squeezed)) {
    if (line === '' || line === '…') continue;
    const found = lines.findIndex((one, index) => index >= at && asPattern(line).test(one));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

const squeezed = (line: string): string => line.trim().replaceAll(/\s+/g, ' ');

/** The digits of a name, such as `db1`, are no number. */
const asPattern = (line: string): RegExp =>
  new RegExp(
    `^${line
      .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll(/(?<![a-z\d])\d+/g, String.raw`\d+`)
      .replaceAll('…', '.*')}$`,
  );
