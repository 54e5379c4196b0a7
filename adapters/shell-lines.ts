/** A line of a script as the shell reads it: with those that it goes on in, without those that are comments. */
export interface ShellLine {
  /** Of its first part, from 1. */
  readonly number: number;
  readonly text: string;
}

export type Variables = ReadonlyMap<string, string>;

export function shellLines(text: string): readonly ShellLine[] {
  const lines: { number: number; text: string }[] = [];
  let goesOn = false;
  for (const [index, part] of text.split('\n').entries()) {
    const own = part.replace(/\\$/, ' ');
    const last = lines.at(-1);
    const isComment: boolean = !goesOn && /^\s*#/.test(part);
    if (goesOn && last !== undefined) last.text += own;
    else lines.push({ number: index + 1, text: own });
    goesOn = !isComment && part.endsWith('\\');
  }
  return lines.filter((line) => !/^\s*#/.test(line.text));
}

export const bare = (word: string): string => word.replaceAll(/["']/g, '');

export const filled = (word: string, variables: Variables): string =>
  word.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => variables.get(name) ?? whole);

/** Of assignments that stand alone, wherever they stand. */
export const variablesIn = (lines: readonly ShellLine[]): Variables =>
  new Map(
    lines.flatMap(({ text }) => {
      const [, name, value] = /^\s*(?:export\s+)?(\w+)=("[^"]*"|'[^']*'|\S*)\s*$/.exec(text) ?? [];
      return name === undefined || value === undefined ? [] : [[name, bare(value)] as const];
    }),
  );

interface Loop {
  readonly name: string;
  /** Null: they do not stand in the script. */
  readonly values: readonly string[] | null;
}

const KEYWORD = /(?:^|[;&|(]|\bdo\b|\bthen\b|\belse\b)\s*(for|while|until|select|done)\b/g;
/** More runs than these of one line are of no set-up that is worth reading. */
const MOST_RUNS = 64;

/** Follows the loops of a script, line by line, and says with which variables what stands there is run. */
export class Loops {
  readonly #open: Loop[] = [];
  readonly #variables: Variables;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** The places in `text` where a loop begins or ends. */
  static keywords(text: string): readonly { readonly at: number; readonly keyword: string }[] {
    return [...text.matchAll(KEYWORD)].map((match) => {
      const [whole, keyword = ''] = match;
      return { at: match.index + whole.length - keyword.length, keyword };
    });
  }

  pass(keyword: string, rest: string): void {
    if (keyword === 'done') this.#open.pop();
    else this.#open.push(this.#loopAt(rest));
  }

  /** One for each run. A variable whose values are not known is left out. */
  runs(): readonly Variables[] {
    return this.#open.reduce<readonly Variables[]>(
      (runs, { name, values }) =>
        runs
          .flatMap((run) => {
            if (values !== null) return values.map((value) => new Map([...run, [name, value]]));
            return [new Map([...run].filter(([other]) => other !== name))];
          })
          .slice(0, MOST_RUNS),
      [this.#variables],
    );
  }

  #loopAt(text: string): Loop {
    const [, name = '', list] = /^\w+\s+(\w+)(?:\s+in\s+([^;]*))?/.exec(text) ?? [];
    if (list === undefined) return { name, values: null };
    const words = filled(bare(list.replace(/(^|\s)#.*$/, '')), this.#variables);
    return { name, values: /[$`*?[{]/.test(words) ? null : words.split(/\s+/).filter(Boolean) };
  }
}
