/** Pages as the library that scenarios draw on; see scenario/library.ts. */
import { type Library, library, type Shelf } from '../scenario/library.ts';
import { loadAssembler } from '../scenario/on-demand.ts';
import { pagePaths, readPage } from './pages.ts';
import { registryOnDisk } from './registry.ts';
import type { Page } from './scan.ts';

/** One page's cells; the title is its frontmatter's. */
export function shelfOf({ path, lines, cells }: Page): Shelf {
  const slug = path
    .replace(/^notebooks\/(\w+)\/index\.mdx$/, 'all-$1')
    .replace(/(?<=\w\/\w.*)\/index\.mdx$/, '')
    .replace(/^.*\//, '')
    .replace(/\.mdx$/, '');
  const title =
    lines.find((line) => line.startsWith('title:'))?.replace(/^title:\s*"?(.*?)"?\s*$/, '$1') ?? slug;
  const place = lines.find((line) => /^order: \d+$/.test(line));
  const order = place ? { order: Number(place.slice('order: '.length)) } : {};
  const neighbour = lines.includes('neighbour: true') ? { neighbour: true } : {};
  const sources = (kind: 'asm' | 'scenario') =>
    cells
      .filter((cell) => cell.kind === kind)
      .map(({ name, open, lines }) => ({ page: path, name, line: open + 1, lines }));
  const design = path.startsWith('notebooks/designs/') && cells.some(({ kind }) => kind === 'asm');
  const cellsOf = { asm: sources('asm'), scenarios: sources('scenario') };
  return { slug, page: path, title, design, ...order, ...neighbour, ...cellsOf };
}

await loadAssembler();

/** The library as the files on disk have it now, with the registry. */
export const libraryOnDisk = (registry = registryOnDisk()): Library =>
  library(
    pagePaths().map((path) => shelfOf(readPage(path))),
    registry,
  );
