/** `940 ms`, `2.4 s`, `3 min 7 s`. */
export function renderDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${String(Math.round(milliseconds))} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

/** `812 B`, `4.3 MB`, in powers of 1000. */
export function renderBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? String(value) : value.toFixed(1)} ${units[power] ?? 'B'}`;
}

/** `14:03:07.250`: the time of day in UTC, to a millisecond. */
export const renderClock = (instant: string): string => instant.replace(/^.*T/, '').replace(/Z$/, '');
