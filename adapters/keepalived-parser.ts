/** One line of a configuration: its words, and the lines in braces below it. */
export interface Directive {
  readonly words: readonly string[];
  readonly children: readonly Directive[];
  readonly file: string;
  readonly line: number;
}

export interface ParsedConfiguration {
  readonly directives: readonly Directive[];
  /** Included from places that are not among the files. */
  readonly unread: readonly string[];
  readonly faults: readonly string[];
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly file: string;
  readonly line: number;
}

interface Reading {
  readonly files: Readonly<Record<string, string>>;
  readonly unread: string[];
  readonly faults: string[];
}

const DEEPEST_INCLUDE = 10;

/**
 * Reads `main` among the files of one host, and what it includes. Source: keepalived.conf(5), CONFIGURATION FILE SYNTAX and INCLUDES: `!` and `#` begin a
 * comment, quotes make one word, braces a block. Conditions (`@id`) and `$variables` are faults here: what they stand for is not known.
 */
export function parseKeepalivedFiles(files: Readonly<Record<string, string>>, main: string): ParsedConfiguration {
  const reading: Reading = { files, unread: [], faults: [] };
  const directives = expand(readBlocks(reading, main), reading, 0);
  return { directives, unread: reading.unread, faults: reading.faults };
}

/** Each line of the file as its words. A brace is a word of its own, unless it is quoted. */
function linesOf(reading: Reading, file: string, text: string): readonly Token[][] {
  return text.split('\n').flatMap((raw, index) => {
    const line = index + 1;
    const tokens = tokensOf(raw).map((token) => ({ ...token, file, line }));
    const [first] = tokens;
    if (first === undefined) return [];
    const strange = tokens.find(({ text: word, quoted }) => !quoted && (word.startsWith('$') || word.startsWith('~')));
    if (strange !== undefined || (first.text.startsWith('@') && !first.quoted)) {
      reading.faults.push(
        `${file}:${String(line)}: "${(strange ?? first).text}" is a condition or a variable, which is not understood here`,
      );
      return [];
    }
    return [tokens];
  });
}

function tokensOf(raw: string): readonly { readonly text: string; readonly quoted: boolean }[] {
  const tokens: { text: string; quoted: boolean }[] = [];
  const pattern = /"([^"]*)"?|'([^']*)'?|([!#].*)|([{}])|([^\s{}"'!#][^\s{}"']*)/g;
  for (const [, double, single, comment, brace, word] of raw.matchAll(pattern)) {
    if (comment !== undefined) break;
    const quoted = double ?? single;
    tokens.push({ text: quoted ?? brace ?? word ?? '', quoted: quoted !== undefined });
  }
  return tokens;
}

const isBrace = ({ text, quoted }: Token, brace: '{' | '}'): boolean => !quoted && text === brace;

/** The lines of one file as a tree. A block belongs to the line before its brace. */
class Blocks {
  readonly #reading: Reading;
  readonly #root: Directive[] = [];
  readonly #open: Directive[][] = [this.#root];
  #childrenOfLast: Directive[] | null = null;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  read(lines: readonly (readonly Token[])[]): readonly Directive[] {
    for (const line of lines) this.#line(line);
    if (this.#open.length > 1) this.#reading.faults.push(`${String(this.#open.length - 1)} blocks are not closed`);
    return this.#root;
  }

  #line(line: readonly Token[]): void {
    let words: Token[] = [];
    for (const token of line) {
      if (!isBrace(token, '{') && !isBrace(token, '}')) words.push(token);
      else {
        this.#add(words);
        words = [];
        this.#brace(token);
      }
    }
    this.#add(words);
  }

  #add(words: readonly Token[]): void {
    const [first] = words;
    if (first === undefined) return;
    this.#childrenOfLast = [];
    const { file, line } = first;
    this.#open.at(-1)?.push({ words: words.map(({ text }) => text), children: this.#childrenOfLast, file, line });
  }

  #brace(token: Token): void {
    const place = `${token.file}:${String(token.line)}`;
    if (isBrace(token, '{')) {
      if (this.#childrenOfLast === null) this.#reading.faults.push(`${place}: a block without a name`);
      this.#open.push(this.#childrenOfLast ?? []);
    } else if (this.#open.length > 1) this.#open.pop();
    else this.#reading.faults.push(`${place}: a closing brace too many`);
    this.#childrenOfLast = null;
  }
}

const readBlocks = (reading: Reading, file: string): readonly Directive[] =>
  new Blocks(reading).read(linesOf(reading, file, reading.files[file] ?? ''));

/** Puts in the place of each `include` what the files that it names hold. */
function expand(directives: readonly Directive[], reading: Reading, depth: number): Directive[] {
  return directives.flatMap((directive): Directive[] => {
    const [name, ...arguments_] = directive.words;
    if (!/^include[rmwbca]*$/.test(name ?? ''))
      return [{ ...directive, children: expand(directive.children, reading, depth) }];
    const pattern = arguments_.join(' ');
    const path = pattern.startsWith('/')
      ? pattern
      : `${directive.file.slice(0, directive.file.lastIndexOf('/'))}/${pattern}`;
    const found = Object.keys(reading.files)
      .filter((file) => globPattern(path).test(file))
      .sort();
    if (found.length === 0 && isOutside(path, reading)) reading.unread.push(path);
    if (depth >= DEEPEST_INCLUDE) {
      reading.faults.push(`${directive.file}:${String(directive.line)}: files include one another too deeply`);
      return [];
    }
    return found.flatMap((file) => expand(readBlocks(reading, file), reading, depth + 1));
  });
}

const folderOf = (path: string): string => path.slice(0, path.indexOf('/', 5) + 1);

/** Everything under the folder of the main file was read; what is elsewhere was not. */
const isOutside = (path: string, { files }: Reading): boolean =>
  !Object.keys(files).some((file) => folderOf(file) === folderOf(path));

const globPattern = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/[.+^${}()|\\]/g, String.raw`\$&`)
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  );
