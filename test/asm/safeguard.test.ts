import { expect, test } from 'vitest';
import { safeguardsOf, takeOut } from '../../src/asm/safeguard.ts';
import { problemText } from '../../src/asm/source.ts';
import { build, bytesOf, cell } from './pages.ts';

const TEXT = `#: about flag "a word of its own"
#: about order "what is set first"
nmi:	pushq %rdx
	cmpl $1, (%rsp)	# C: flag? #: safeguard flag
	je nmi	#: safeguard flag, both
#: safeguard order {
	std	# mark
	nop
#: }
#: without order: cld	# instead
#: without order: incq %rax #: safeguard flag
	ret`;
const out = (...names: string[]) => takeOut(cell(TEXT), new Set(names));
const code = (lines: readonly string[]) =>
  lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#~'));
/** Lines of the text, from 1, that were taken out. */
const removedLines = (lines: readonly string[]) =>
  lines.flatMap((line, n) => (line.startsWith('#~') ? [n + 1] : []));

test('with every safeguard in place the text is what an assembler sees without marks', () => {
  expect(out().lines).toEqual(TEXT.split('\n'));
  const bare = TEXT.split('\n').map((line) => line.replace(/\s*#:.*/, ''));
  expect(bytesOf(TEXT)).toBe(bytesOf(bare.join('\n')));
});

test('a mark is no part of the comment, and breaks no comment above a label', () => {
  const { image } = build('# first\n#: counter X\n# second\nl: nop # told #: safeguard x');
  expect(image.symbols.map(({ comment }) => comment)).toEqual(['told']);
  expect(build('# first\n#: counter X\n# second\nl:\n nop').image.symbols[0]?.comment).toBe('first second');
  expect(build('nop # told #: safeguard x').image.lines[0]?.comment).toBe('told');
  expect(bytesOf('.ascii "#: no mark"')).toBe(Buffer.from('#: no mark').toString('hex'));
});

test('lines go by name, singly and in blocks, and every other line stays where it was', () => {
  const { lines } = out('flag');
  const before = TEXT.split('\n');
  expect(lines.slice(3, 5)).toEqual(['#~\tcmpl $1, (%rsp)	# C: flag?', '#~\tje nmi']);
  expect([...lines.slice(0, 3), ...lines.slice(5)]).toEqual([...before.slice(0, 3), ...before.slice(5)]);
  expect(removedLines(out('both').lines)).toEqual([5]);
});

test('what stands instead comes in, at its own column, and may carry a name itself', () => {
  const { lines } = out('order');
  expect(code(lines.slice(5))).toEqual(['cld	# instead', 'incq %rax #: safeguard flag', 'ret']);
  expect(lines[9]?.indexOf('cld')).toBe(TEXT.split('\n')[9]?.indexOf('cld'));
  expect(removedLines(lines)).toEqual([7, 8]);
  expect(code(out('order', 'flag').lines.slice(5))).toEqual(['cld	# instead', 'ret']);
});

test('names come in the order in which it is said what they are for', () => {
  const text = `${TEXT}\n#: about both "either"`;
  const { safeguards, problems } = safeguardsOf([cell(text)]);
  expect(problems).toEqual([]);
  expect(safeguards.map(({ name, about, places }) => [name, about, places.length])).toEqual([
    ['flag', 'a word of its own', 2],
    ['order', 'what is set first', 3],
    ['both', 'either', 1],
  ]);
});

test('a block that is never closed takes nothing out, and does not hang', () => {
  const { lines } = takeOut(cell('#: safeguard a {\n nop'), new Set(['a']));
  expect(code(lines)).toEqual(['nop']);
});

const mistakes = (text: string): readonly string[] =>
  safeguardsOf([cell(`#: about a "x"\n${text}`)]).problems.map(problemText);

test.each([
  [' nop #: safeguard', 'page.mdx:11:6: missing name: safeguard NAME'],
  [' nop #: safeguard A', 'page.mdx:11:6: invalid safeguard: A (lower-case letters, digits and -)'],
  ['#: safeguard a', /^page.mdx:11:1: missing code: safeguard NAME stands behind the line it names/],
  [' nop #: safeguard a {', 'page.mdx:11:6: invalid mark: { stands on a line of its own'],
  ['#: safeguard a {\n nop', 'page.mdx:11:1: missing }: safeguard a is open to the end of the cell'],
  ['#: }', 'page.mdx:11:1: invalid mark: } without an open safeguard'],
  ['#: without a', 'page.mdx:11:1: invalid mark: write without NAME: CODE on a line of its own'],
  [' nop #: without a: nop', 'page.mdx:11:6: invalid mark: write without NAME: CODE on a line of its own'],
  ['#: about a', 'page.mdx:11:1: invalid mark: write about NAME "SENTENCE" on a line of its own'],
  [' nop #: safeguard aa', 'page.mdx:11:6: missing sentence: #: about aa "..."'],
])('%s', (text, message) => {
  expect(mistakes(text)).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message]);
});
