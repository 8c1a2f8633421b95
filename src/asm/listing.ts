/** Code as it runs, row by row: what stands on the page, and under each use what it became. */
import type { Image, Statement } from '../image/image.ts';
import { clausesOf, tidy } from './clause.ts';
import type { Source } from './source.ts';

export interface ListingRow {
  /** `removed` is a line of a safeguard that was taken out. */
  readonly kind: 'label' | 'instruction' | 'directive' | 'removed';
  /** Empty for a line that holds only a comment. */
  readonly text: string;
  readonly comment: string;
  /** Of an instruction, or of a directive's bytes. */
  readonly address: bigint | undefined;
  /** Name of the page's cell the row stands in, and its place there. */
  readonly block: string;
  readonly page: string;
  readonly line: number;
  /** Uses that led to it: 0 for what stands in the source itself. */
  readonly depth: number;
}

/**
 * The rows of `sources`, in order. With the image that was assembled from them, instructions have addresses and
 * every use of a macro, a repeat or an include is followed by what it became; without, it is the bare text.
 */
export function listing(sources: readonly Source[], image?: Image): readonly ListingRow[] {
  const written = sources.flatMap((source) => rowsOf(source));
  if (!image?.statements) return written;
  const shown = (page: string, line: number): boolean =>
    sources.some(
      (source) => source.page === page && line >= source.line && line < source.line + source.lines.length,
    );
  return image.statements
    .filter(({ origins }) => {
      const outermost = origins.at(-1);
      return outermost !== undefined && shown(outermost.page, outermost.line);
    })
    .map(({ kind, text, comment, address, block, origins: [{ page, line }, ...uses] }) => ({
      kind: kind === 'comment' ? 'directive' : kind,
      text,
      comment,
      address,
      block,
      page,
      line,
      depth: uses.length,
    }));
}

const LABEL = /^\s*((?:[A-Za-z_.][\w.$]*|\d+)\s*:)/;

/** The rows of one source from its text alone. */
function rowsOf(source: Source): readonly ListingRow[] {
  const rows: ListingRow[] = [];
  for (const clause of clausesOf(source, () => undefined)) {
    let rest = clause.text;
    const { page, line, block } = clause;
    const row = (kind: Statement['kind'], text: string, comment: string): void => {
      rows.push({
        kind: kind === 'comment' ? 'directive' : kind,
        text: tidy(text),
        comment,
        address: undefined,
        block,
        page,
        line,
        depth: 0,
      });
    };
    for (let label = LABEL.exec(rest); label; label = LABEL.exec(rest)) {
      rest = rest.slice(label[0].length);
      row('label', label[1]?.replace(/\s*:$/, ':') ?? '', rest.trim() === '' ? clause.comment : '');
    }
    const text = rest.trim();
    if (text === '') {
      if (clause.text.trim() === '') row('comment', '', clause.comment);
    } else {
      row(
        /^\.|^[\w.$]+\s*=(?!=)|^UNWIND_HINT/.test(text) ? 'directive' : 'instruction',
        text,
        clause.comment,
      );
    }
  }
  return rows;
}
