/** Pages as the library that scenarios draw on; see scenario/library.ts. */
import { type BugFacts, type Library, library, type Shelf } from '../scenario/library.ts';
import { loadAssembler } from '../scenario/on-demand.ts';
import { pagePaths, readPage } from './pages.ts';
import { registryOnDisk } from './registry.ts';
import type { Page } from './scan.ts';

/** A value between the two lines of dashes. */
const frontmatter = (lines: readonly string[], key: string): string | undefined =>
  lines
    .slice(1, lines.indexOf('---', 1))
    .find((line) => line.startsWith(`${key}:`))
    ?.slice(key.length + 1)
    .replace(/^\s*"?(.*?)"?\s*$/, '$1');

/** What a page says of a historic bug; all four lines, or it is none. */
function bugOf(lines: readonly string[]): BugFacts | undefined {
  const [id, kernels, fix, found] = ['bug', 'kernels', 'fix', 'found'].map((key) => frontmatter(lines, key));
  return id && kernels && fix && (found === 'blind' || found === 'confirmed')
    ? { id, kernels, fix, found }
    : undefined;
}

/** One page's cells; the title is its frontmatter's. */
export function shelfOf({ path, lines, cells }: Page): Shelf {
  const slug = path
    .replace(/^notebooks\/(\w+)\/index\.mdx$/, 'all-$1')
    .replace(/(?<=\w\/\w.*)\/index\.mdx$/, '')
    .replace(/^.*\//, '')
    .replace(/\.mdx$/, '');
  const title = frontmatter(lines, 'title') ?? slug;
  const numbered = (key: 'order' | 'step') => {
    const value = frontmatter(lines, key);
    return value && /^\d+$/.test(value) ? { [key]: Number(value) } : {};
  };
  const formerly = frontmatter(lines, 'formerly');
  const neighbour = lines.includes('neighbour: true') ? { neighbour: true } : {};
  const sources = (kind: 'asm' | 'scenario') =>
    cells
      .filter((cell) => cell.kind === kind)
      .map(({ name, open, lines }) => ({ page: path, name, line: open + 1, lines }));
  const design =
    /^(notebooks\/designs|content\/bugs)\//.test(path) && cells.some(({ kind }) => kind === 'asm');
  const bug = bugOf(lines);
  const cellsOf = { asm: sources('asm'), scenarios: sources('scenario') };
  return {
    slug,
    page: path,
    title,
    design,
    ...(bug && { bug }),
    ...numbered('order'),
    ...neighbour,
    ...numbered('step'),
    ...(formerly && { formerly }),
    ...cellsOf,
  };
}

await loadAssembler();

/** The library as the files on disk have it now, with the registry. */
export const libraryOnDisk = (registry = registryOnDisk()): Library =>
  library(
    pagePaths().map((path) => shelfOf(readPage(path))),
    registry,
  );
