import type { Host } from './machine.ts';
import { chunks, shopTables, shopLogic, type ShopTable } from './shop-schema.ts';

export interface ShopOptions {
  /** Approximate size of the data on disk. */
  readonly sizeMb: number;
  readonly seed?: number;
  readonly onTable?: (table: string, rows: number) => void;
}

export interface ShopSize {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Fills the schema `shop` on a primary: the same rows for the same seed and size. The server makes them itself, in transactions of a
 * few MB, so that neither a client's speed nor the binlog cache is the limit.
 */
export async function loadShop(host: Host, options: ShopOptions): Promise<ShopSize> {
  const seed = options.seed ?? 1;
  let rows = 0;
  for (const table of shopTables) {
    const count = Math.max(1, Math.round(table.perMb * options.sizeMb));
    await host.sql(`USE shop; ${table.create};`);
    for (const script of scripts(table, { count, seed })) await host.sql(script, { timeoutMs: 300_000 });
    rows += count;
    options.onTable?.(table.name, count);
  }
  await host.sql(`USE shop;\n${shopLogic}`);
  const [[bytes = '0'] = []] = await host.sql(
    "SELECT SUM(file_size) FROM information_schema.innodb_sys_tablespaces WHERE name LIKE 'shop/%'",
  );
  return { rows, bytes: Number(bytes) };
}

function scripts(table: ShopTable, data: { readonly count: number; readonly seed: number }): readonly string[] {
  const totals = (name: string, sizeMb: number): number => {
    const other = shopTables.find((one) => one.name === name);
    return Math.max(1, Math.round((other?.perMb ?? 0) * sizeMb));
  };
  const sizeMb = data.count / table.perMb;
  return chunks(data.count, table.rowsPerChunk).map(({ from, to }) =>
    [
      'USE shop;',
      `SET @seed = ${String(data.seed)};`,
      ...['customers', 'products', 'orders'].map((name) => `SET @${name} = ${String(totals(name, sizeMb))};`),
      `INSERT INTO ${table.name} ${table.select} FROM seq_${String(from)}_to_${String(to)};`,
    ].join('\n'),
  );
}
