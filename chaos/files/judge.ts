/** Files of a folder, as `sha256sum` lists them: one line is a content under a name. */
export interface Holdings {
  readonly files: string;
  /** The same of what was set aside. */
  readonly aside: string;
}

const linesOf = (listing: string): readonly string[] => listing.split('\n').filter((line) => line !== '');
const sumOf = (line: string): string => line.slice(0, 64);
const nameOf = (line: string): string => line.slice(66);

/**
 * What a host had and has no more.
 * @param mayGo names that the application deleted or wrote anew on the source
 */
export function lostFiles(before: string, after: Holdings, mayGo: ReadonlySet<string>): readonly string[] {
  const there = new Set(linesOf(after.files));
  const kept = new Set(linesOf(after.aside).map(sumOf));
  return linesOf(before).filter((line) => !there.has(line) && !kept.has(sumOf(line)) && !mayGo.has(nameOf(line)));
}
