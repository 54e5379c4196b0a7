/** What `CHECKSUM TABLE` said of a table on one server. */
export type TableSum =
  | { readonly kind: 'sum'; readonly checksum: string }
  | { readonly kind: 'absent' }
  /** Somebody else has it locked. */
  | { readonly kind: 'locked' }
  /** Its definition changed after the snapshot, or the server cannot read its rows. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** A table by its quoted name. `hasSnapshots`: its engine shows a transaction the rows as they were when its snapshot was taken. */
export interface ComparedTable {
  readonly name: string;
  readonly hasSnapshots: boolean;
}

export interface TableSums {
  readonly primary: TableSum;
  readonly copy: TableSum;
}

/**
 * Of so many snapshots. A definition that changes after one was taken makes equal rows look different, and another checksum is no sign of that: a column
 * that is added at once counts in old snapshots too. In a later snapshot they are equal again. Source: measured on 10.11.
 */
const LOOKS = 5;

/** The tables of two servers that are compared one by one, each in one snapshot at one GTID position; those in doubt again in a later one. */
export class TableComparison {
  readonly #seen = new Set<string>();
  /** By name, in the order in which their turns come. */
  readonly #untouched = new Map<string, ComparedTable>();
  readonly #doubts = new Map<string, { readonly table: ComparedTable; readonly looks: number; readonly why: string }>();
  readonly #equal: Set<string>;

  /** @param equal  tables that an earlier attempt at the same comparison has seen to be equal: their turn is over */
  constructor(equal: readonly string[] = []) {
    this.#equal = new Set(equal);
    for (const name of equal) this.#seen.add(name);
  }

  /** Tables that were added before are left as they are: those that were made or renamed since come to them. */
  add(tables: readonly ComparedTable[]): void {
    for (const table of tables) {
      if (this.#seen.has(table.name)) continue;
      this.#seen.add(table.name);
      this.#untouched.set(table.name, table);
    }
  }

  /** What is to be compared in a snapshot that is new: doubts first, while no definition had time to change. */
  pending(): readonly ComparedTable[] {
    const doubts = [...this.#doubts.values()].filter(({ looks }) => looks < LOOKS).map(({ table }) => table);
    return [...doubts, ...this.#untouched.values()];
  }

  note(table: ComparedTable, sums: TableSums): void {
    const { name } = table;
    this.#untouched.delete(name);
    // After all others: whoever waits for it holds up nobody.
    if ([sums.primary.kind, sums.copy.kind].includes('locked')) this.#untouched.set(name, table);
    else this.#judge(table, sums);
  }

  #judge(table: ComparedTable, sums: TableSums): void {
    const looks = (this.#doubts.get(table.name)?.looks ?? 0) + 1;
    this.#doubts.delete(table.name);
    const why = differenceOf(table, sums);
    if (why !== null) this.#doubts.set(table.name, { table, looks, why });
    else if (sums.primary.kind === 'sum') this.#equal.add(table.name);
  }

  /** How many tables were seen to be equal. One that was dropped meanwhile is none. */
  get equal(): number {
    return this.#equal.size;
  }

  /** Their names, for an attempt that goes on from here: the first ones, as many as fit. */
  equalWithin(characters: number): readonly string[] {
    let left = characters;
    return [...this.#equal].filter((name) => (left -= name.length) >= 0);
  }

  /** The tables in doubt, in words. */
  get differing(): readonly string[] {
    return [...this.#doubts.values()].map(({ why }) => why);
  }
}

/** Null: equal, or gone from both. */
function differenceOf({ name, hasSnapshots }: ComparedTable, { primary, copy }: TableSums): string | null {
  if (primary.kind === 'unreadable') return `${name} (the primary cannot read it: ${primary.why})`;
  if (copy.kind === 'unreadable') return `${name} (the copy cannot read it: ${copy.why})`;
  if (primary.kind !== 'sum') return copy.kind === 'sum' ? `${name} (only the copy has it)` : null;
  if (copy.kind !== 'sum') return `${name} (the copy does not have it)`;
  if (primary.checksum === copy.checksum) return null;
  return hasSnapshots
    ? name
    : `${name} (its engine has no snapshots: it can be compared only while nobody writes to it)`;
}
