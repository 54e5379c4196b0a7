/** One line that keeps a promise of Standfast, and the test that goes red without it. */
export interface Guard {
  readonly name: string;
  /** What it prevents. */
  readonly explains: string;
  readonly file: string;
  /** The text that is the guard; exactly once in the file. As short as it can be, since its surroundings change. */
  readonly text: string;
  /** What stands there when the guard is off. */
  readonly without: string;
  readonly test: {
    readonly file: string;
    /** The title, or the part of it that no other test of the file has. */
    readonly title: string;
  };
}

type Row = readonly [name: string, explains: string, text: string, without: string, title: string];

/** Guards of one file that are held by one file of tests. */
export const guardsOf = (file: string, test: string, rows: readonly Row[]): readonly Guard[] =>
  rows.map(([name, explains, text, without, title]) => ({
    name,
    explains,
    file,
    text,
    without,
    test: { file: test, title },
  }));

/** The source without one guard. @throws when the text is not there exactly once */
export function withoutGuard({ name, file, text, without }: Guard, source: string): string {
  const parts = source.split(text);
  if (parts.length !== 2)
    throw new Error(`the guard "${name}" is in ${file} ${String(parts.length - 1)} times, not once: ${text}`);
  return parts.join(without);
}
