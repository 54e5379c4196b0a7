/** What a filter of the binary log drops without a word, by a statement that anybody might write; null: there is no filter. */
export function filteringExample(
  { onlyDatabases, ignoredDatabases }: { readonly onlyDatabases: string; readonly ignoredDatabases: string },
  format: string,
): string | null {
  if (onlyDatabases !== '') {
    const [first = ''] = onlyDatabases.split(',');
    return `binlog_do_db=${onlyDatabases}: ${
      format === 'ROW'
        ? `\`UPDATE other.t SET …\` is in no binary log, wherever it is written, and \`USE other; ALTER TABLE ${first}.t …\` is not either`
        : `\`USE other; UPDATE ${first}.t SET …\` is in no binary log, although it changes ${first}`
    }`;
  }
  if (ignoredDatabases === '') return null;
  const [first = ''] = ignoredDatabases.split(',');
  return `binlog_ignore_db=${ignoredDatabases}: ${
    format === 'ROW'
      ? `\`UPDATE ${first}.t SET …\` is in no binary log, and \`USE ${first}; ALTER TABLE other.t …\` is not either`
      : `\`USE ${first}; UPDATE other.t SET …\` is in no binary log, although it changes other`
  }`;
}

const EXAMPLES: readonly (readonly [RegExp, (value: string) => string])[] = [
  [
    /Do_DB$/i,
    (value) => `\`UPDATE other.t SET …\` is not carried out here, nor \`USE other; CREATE TABLE ${value}.t …\``,
  ],
  [/Ignore_DB$/i, (value) => `\`UPDATE ${value}.t SET …\` is not carried out here`],
  [/Wild_Do_Table$/i, (value) => `a table that does not match ${value} is left as it was`],
  [/Wild_Ignore_Table$/i, (value) => `\`INSERT INTO ${value.replace('%', 'x')} …\` is not carried out here`],
  [/Ignore_Table$/i, (value) => `\`INSERT INTO ${value} …\` is not carried out here`],
  [/Do_Table$/i, (value) => `\`INSERT INTO any_but_${value.replace('.', '_')} …\` is not carried out here`],
  [/Rewrite_DB$/i, (value) => `rows arrive in another database than they were written in (${value})`],
];

/** The same of a replica's filters, each with its first value. */
export function replicaFilterExample(filters: readonly string[]): string {
  return filters
    .map((filter) => {
      const [name = '', value = ''] = filter.split('=');
      const [first = ''] = value.split(',');
      const example = EXAMPLES.find(([pattern]) => pattern.test(name));
      return `${name.toLowerCase()}=${value}${example === undefined ? '' : `: ${example[1](first)}`}`;
    })
    .join('; ');
}
