/** Texts as cells of pages, for tests. */
import { assemble, type Options } from '../../src/asm/assemble.ts';
import { problemText, type Source } from '../../src/asm/source.ts';
import { sections, symbols } from './gnu.ts';

/** A cell of `page.mdx` whose first line is line 10. */
export const cell = (text: string, name = 'cell', line = 10, page = 'page.mdx'): Source => ({
  page,
  name,
  line,
  lines: text.split('\n'),
});

/** Assembles one cell; the others are there to be included. */
export function build(text: string, others: readonly Source[] = [], options: Partial<Options> = {}) {
  const include = (reference: string): Source | undefined =>
    others.find(({ page, name }) => `${page}#${name}` === reference);
  return assemble([cell(text)], { sections, symbols, include, ...options });
}

/** The problems of a text, as they are printed. */
export const problemsOf = (text: string, others: readonly Source[] = []): readonly string[] =>
  build(text, others).problems.map(problemText);

/** Bytes of a section in hexadecimal. */
export function bytesOf(text: string, section = '.text'): string {
  const found = build(text).image.segments.find((one) => one.name === section);
  return Buffer.from(found?.bytes ?? []).toString('hex');
}
