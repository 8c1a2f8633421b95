/** Two lists side by side. */

/**
 * Pairs equal items of two lists in order, so that most are paired (longest common subsequence). Indices into both;
 * undefined where only one list has the item, those of the first list before those of the second.
 */
export function align<T>(
  a: readonly T[],
  b: readonly T[],
  same: (a: T, b: T) => boolean,
): readonly (readonly [number | undefined, number | undefined])[] {
  // longest[i][j]: of a from i on and b from j on.
  const longest = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  const equal = (i: number, j: number): boolean => same(a[i] as T, b[j] as T);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      (longest[i] as number[])[j] = equal(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const pairs: (readonly [number | undefined, number | undefined])[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && equal(i, j)) pairs.push([i++, j++]);
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) pairs.push([i++, undefined]);
    else pairs.push([undefined, j++]);
  }
  return pairs;
}

/** A line of a difference: in both texts, only in the first, or only in the second. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** What became of a text, line by line. */
export function diff(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  return align(a, b, (x, y) => x === y).map(([i, j]) =>
    i !== undefined && j !== undefined
      ? { kind: 'same', text: a[i] ?? '' }
      : i !== undefined
        ? { kind: 'removed', text: a[i] ?? '' }
        : { kind: 'added', text: b[j ?? 0] ?? '' },
  );
}
