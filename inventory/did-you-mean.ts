/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const inserted = (current[column - 1] ?? 0) + 1;
      const deleted = (last[column] ?? 0) + 1;
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swapped = isSwap ? (beforeLast[column - 2] ?? Infinity) + 1 : Infinity;
      current.push(Math.min(replaced, inserted, deleted, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? left.length;
}

/** The one allowed word that `found` was probably meant to be, or null. */
export function closestWord(found: string, allowed: readonly string[]): string | null {
  const near = allowed
    .map((word) => ({ word, distance: editDistance(found.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(Math.max(word.length, found.length) / 3)))
    .sort((left, right) => left.distance - right.distance);
  return near[0]?.word ?? null;
}

/** The end of a sentence: `; did you mean "address"?`, or nothing. */
export function didYouMean(found: string, allowed: readonly string[]): string {
  const word = closestWord(found, allowed);
  return word === null ? '' : `; did you mean "${word}"?`;
}
