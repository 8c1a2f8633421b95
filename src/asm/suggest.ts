/** The known word that a mistyped one is closest to. */

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`; stops counting beyond `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    if (Math.min(...row) > most) return most + 1;
    before = above;
    above = row;
  }
  return above[b.length] ?? most + 1;
}

/** ` (did you mean movq?)`, or nothing if no word is close. */
export function suggestion(word: string, known: Iterable<string>): string {
  if (word.length > 20) return '';
  let most = word.length < 5 ? 1 : 2;
  let found = '';
  for (const one of known) {
    const apart = distance(word, one, most);
    if (apart > most || (found !== '' && apart === most)) continue;
    most = apart;
    found = one;
  }
  return found === '' ? '' : ` (did you mean ${found}?)`;
}
