/** `lab asm --lines`: what the assembler makes of single lines, against bytes from elsewhere. */
import { assemble } from '../../asm/assemble.ts';
import type { Source } from '../../asm/source.ts';
import { SECTIONS, SYMBOLS } from '../../kernel/memory-map.ts';

/** A line whose bytes are others, or none. */
export interface Difference {
  readonly line: number;
  readonly text: string;
  readonly expected: string;
  /** Bytes, or why there are none. */
  readonly got: string;
}

export interface LinesReport {
  readonly passed: number;
  readonly differences: readonly Difference[];
  /** Rows that are none, and mistakes of the prelude: whole sentences with their place. */
  readonly problems: readonly string[];
}

type Assembled = ReturnType<typeof assemble>;

const sourceOf = (page: string, line: number, text: string): Source => ({
  page,
  name: page,
  line,
  lines: text.split(/\r?\n/),
});

/** Bytes of all that stands on a page, or the first mistake there. */
function bytesOf({ image, problems }: Assembled, page: string): string {
  const mistake = problems.find((one) => (one.via?.at(-1) ?? one).page === page);
  if (mistake) return mistake.message;
  return image.lines
    .filter(({ origins }) => origins.at(-1)?.page === page)
    .map(({ address, length }) => {
      const segment = image.segments.find(
        (one) => address >= one.address && address < one.address + BigInt(one.bytes.length),
      );
      const at = Number(address - (segment?.address ?? 0n));
      return Buffer.from(segment?.bytes.subarray(at, at + length) ?? []).toString('hex');
    })
    .join('');
}

/**
 * Rows of `text TAB hex`, each assembled alone behind the prelude; the last TAB counts. Blank rows and rows that
 * begin with # say nothing.
 *
 * @param name of the file, for places in problems
 */
export function checkLines(
  name: string,
  text: string,
  prelude: { readonly name: string; readonly text: string } = { name: 'prelude', text: '' },
): LinesReport {
  const before = sourceOf(prelude.name, 1, prelude.text);
  const options = { sections: SECTIONS, symbols: SYMBOLS };
  const problems = assemble([before], options).problems.map(
    ({ page, line, column, message }) => `${page}:${line}:${column}: ${message}`,
  );
  if (problems.length > 0) return { passed: 0, differences: [], problems };

  const differences: Difference[] = [];
  let passed = 0;
  // No file has this name, so a mistake there is the row's.
  const page = '(row)';
  for (const [n, row] of text.split(/\r?\n/).entries()) {
    if (row.trim() === '' || row.startsWith('#')) continue;
    const end = row.lastIndexOf('\t');
    const expected = row
      .slice(end + 1)
      .replaceAll(' ', '')
      .toLowerCase();
    if (end < 0 || !/^(?:[\da-f]{2})*$/.test(expected)) {
      problems.push(`${name}:${n + 1}: invalid row: ${JSON.stringify(row)} is not text, TAB and bytes`);
      continue;
    }
    const statement = row.slice(0, end).trim();
    const got = bytesOf(assemble([before, sourceOf(page, n + 1, row.slice(0, end))], options), page);
    if (got === expected) passed++;
    else differences.push({ line: n + 1, text: statement, expected, got });
  }
  return { passed, differences, problems };
}

/** `FILE:12: xchg %rax,%rax: expected 4890, got 90`. */
export const differenceText = (name: string, { line, text, expected, got }: Difference): string =>
  `${name}:${line}: ${text}: expected ${expected || 'nothing'}, got ${got || 'nothing'}`;
