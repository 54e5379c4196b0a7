/** What the Temporal UI shows of a running or ended run: a few lines of markdown. */
export interface Progress {
  readonly title: string;
  /** Phases in order; the ones before `now` are done. */
  readonly phases: readonly string[];
  readonly now: string;
  readonly notes: readonly string[];
  /** What a person can do next, if anything. */
  readonly next: string | null;
}

export function renderProgress(progress: Progress): string {
  const at = progress.phases.indexOf(progress.now);
  const lines = progress.phases.map((name, index) => {
    if (at === -1 || index < at) return `- [x] ${name}`;
    return index === at ? `- [ ] **${name}** (now)` : `- [ ] ${name}`;
  });
  return [
    `### ${progress.title}`,
    '',
    ...lines,
    '',
    ...progress.notes.map((note) => `${note}\n`),
    ...(progress.next === null ? [] : [`**Next:** ${progress.next}`]),
  ].join('\n');
}
