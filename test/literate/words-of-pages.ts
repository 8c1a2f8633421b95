/** What tests read of a page's prose: its lines, its italics, and the entries of the list of words. */
import { readPage } from '../../src/literate/pages.ts';
import type { Page } from '../../src/literate/scan.ts';

export const WORDS = 'content/reference/words.mdx';

/** Lines of prose: neither frontmatter nor fences, and no code. */
export const proseOf = ({ lines }: Page): readonly string[] => {
  let fence = false;
  return lines.slice(lines.indexOf('---', 1) + 1).map((line) => {
    const mark = /^`{3,}/.test(line);
    if (mark) fence = !fence;
    return mark || fence ? '' : line;
  });
};
const withoutCode = (line: string): string => line.replace(/`[^`]*`/g, '');

/** The words in the order of the page: identifier, all its names, the address of the page that tells it. */
export const words = proseOf(readPage(WORDS)).flatMap((line) => {
  const [, id = '', shown = '', rest = ''] = /^\* <dfn id="([\w-]+)">(.+?)<\/dfn>: (.+)$/.exec(line) ?? [];
  if (!id) return [];
  const told = /\[[^\]]*\]\(([^)]*)\)$/.exec(rest)?.[1] ?? '';
  return [{ id, names: shown.replaceAll('`', '').split(', '), told }];
});

/** Italics of a page, in prose. */
export const italicsOf = (path: string): readonly string[] =>
  proseOf(readPage(path)).flatMap((line) =>
    [
      ...withoutCode(line)
        .replaceAll('**', ' ')
        .replaceAll('\\*', ' ')
        .matchAll(/(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])/g),
    ].map(([, term = '']) => term.replace(/<[^>]*>/g, '')),
  );
