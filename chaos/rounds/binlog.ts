import type { Host } from '../../lab/machine.ts';
import { LabError } from '../../lab/run.ts';

/** Which transaction of a host wrote which row of the ledger: GTIDs by the tokens of the rows. */
export type WrittenBy = ReadonlyMap<string, string>;

const READ_MS = 30_000;
/** Only the lines that matter: a log holds the rows of a whole shop. Nothing found is no failure of grep. */
const READ = `cd /var/lib/mysql && mapfile -t logs <mariadb-bin.index
mariadb-binlog --no-defaults --base64-output=decode-rows "\${logs[@]}" |
  { grep -aE '^#[0-9]+ .*(GTID [0-9]+-|Xid = )|^#Q> INSERT INTO ledger\\.writes' || [ $? = 1 ]; }`;

/** Reads the binary logs of a host from its files: its server need not run. Null when they cannot be read to their end. */
export async function ledgerWritesOf(host: Host): Promise<WrittenBy | null> {
  if (!host.isOn()) return null;
  try {
    const { exitCode, stdout } = await host.exec(['bash', '-euo', 'pipefail', '-c', READ], { timeoutMs: READ_MS });
    return exitCode === 0 ? writtenIn(stdout) : null;
  } catch (error) {
    if (error instanceof LabError) return null;
    throw error;
  }
}

/** A transaction counts when its end is there too: a killed server may have written half of its last one. */
export function writtenIn(lines: string): WrittenBy {
  const written = new Map<string, string>();
  let gtid = '';
  let tokens: string[] = [];
  for (const line of lines.split('\n')) {
    const begun = /\tGTID (\d+-\d+-\d+)/.exec(line)?.[1];
    const token = /^#Q> INSERT INTO ledger\.writes .*? VALUES \('?(\d+)/.exec(line)?.[1];
    if (begun !== undefined) [gtid, tokens] = [begun, []];
    else if (token !== undefined) tokens.push(token);
    else if (line.includes('Xid = ')) for (const one of tokens) written.set(one, gtid);
  }
  return written;
}
