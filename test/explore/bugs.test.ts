/** The page of a bug that no file of this project knows. Those that it knows are asked on `content/bugs/index.mdx`. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bugs, exhibitsOf } from '../../src/explore/bugs.ts';
import { scan } from '../../src/literate/scan.ts';
import { libraryOnDisk, shelfOf } from '../../src/literate/shelves.ts';
import { bugsInOrder, designsInOrder, designsOf, library, type Shelf } from '../../src/scenario/library.ts';

const all = libraryOnDisk();
const text = readFileSync('content/bugs/a4-user-rsp.mdx', 'utf8').replace('a4-user-rsp v0', 'x');
const others = [...all.values()].filter(({ slug }) => slug !== 'a4-user-rsp');
const withPage = (page: string) =>
  library([...others, shelfOf(scan(page, 'content/bugs/a4-user-rsp.mdx')) as Shelf]);

test('a bug that is found and cured is told with its shortest run', () => {
  const [gap] = exhibitsOf('a4-user-rsp', withPage(text));
  expect(gap?.injects).toEqual(['nmi at syscall_entry']);
  expect(gap?.found.invariant).toBe('I4');
  expect(gap?.tried).toBe(gap?.clean);
});

test.each([
  [
    'a run that is not the shortest',
    /^inject .*$/m,
    'inject nmi at syscall_entry+1',
    'missing scenario: the shortest that breaks a4-user-rsp',
  ],
  [
    'a mark without what is missing',
    /^#: breaks (.*) without test-e$/m,
    '#: breaks $1',
    'missing mark: breaks ... without',
  ],
  [
    'a cure that nobody misses',
    / without test-e$/m,
    ' without test-c',
    'nothing breaks: a4-user-rsp without test-c',
  ],
  [
    'a start that breaks in any case',
    /^#: breaks .*$/m,
    '#: breaks mc, nmi bound 2 from kernel-task with quiet without clear-executing',
    'not cured: a4-user-rsp',
  ],
])('%s is an error', (_, from, to, message) => {
  const told = message.startsWith('not cured')
    ? text.replace(/^start .*\ninject .*$/m, 'start kernel-task\nbody quiet\ninject nmi at task')
    : text;
  const page = told
    .replace(from, to)
    .replace('without test-e\nstart kernel', 'without clear-executing\nstart kernel');
  expect(() => exhibitsOf('a4-user-rsp', withPage(page))).toThrow(message);
});

test('bugs stand in order, and are designs that no list of designs shows', () => {
  const slugs = bugsInOrder(all).map(({ slug }) => slug);
  expect(slugs.slice(0, 2)).toEqual(['a1-nested-nmi', 'a2-espfix']);
  expect(slugs.filter((slug) => !designsOf(all).includes(slug))).toEqual([]);
  expect(designsInOrder(all).filter(({ slug }) => slugs.includes(slug))).toEqual([]);
  expect(bugs(library([]))).toEqual([]);
});
