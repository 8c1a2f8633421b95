import { expect, test } from 'vitest';
import { fates, oneMoreNmi } from '../../src/explore/one-more-nmi.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf, scenariosOf } from '../../src/scenario/library.ts';
import { play } from '../../src/scenario/run.ts';
import type { Frame } from '../../src/scenario/timeline.ts';

const pages = libraryOnDisk();

/** Who wrote the words of the three records and the two between them: runs of equal authors, highest word first. */
function authors({ words }: Frame): string {
  const runs: [string, number][] = [];
  for (const { index, author } of words) {
    if (index < -17) break;
    const name = `${author.kind} ${author.name}${author.boundary === undefined ? '' : ` b${author.boundary}`}`;
    const last = runs.at(-1);
    if (last?.[0] === name) last[1]++;
    else runs.push([name, 1]);
  }
  return runs.map(([name, count]) => `${count} ${name}`).join(', ');
}

// Every sentence and every author of every scenario, as text that a change shows in its diff.
test.each(scenariosOf(pages))('the story of %s is the one that was read and accepted', async (slug) => {
  const source = scenarioOf(pages, slug);
  if (!source) throw new Error('missing scenario');
  const { frames, steps, counts, outcome } = play(source, pages);
  const stops = new Set(steps.map(({ boundary }) => boundary));
  const lines = frames.flatMap((frame) => [
    `b${frame.boundary} ${frame.sentence}`,
    ...(stops.has(frame.boundary) ? [`    ${authors(frame)}`] : []),
  ]);
  const text = [`${outcome.verdict} ${JSON.stringify(counts)}`, ...lines, ''].join('\n');
  await expect(text).toMatchFileSnapshot(`stories/${slug}.txt`);
});

test('what becomes of one more NMI, told in runs of boundaries', () => {
  const told = (slug: string) => {
    const source = scenarioOf(pages, slug);
    const landings = source && oneMoreNmi(source, pages);
    if (!landings || 'problems' in landings) throw new Error('nothing ran');
    return fates(landings).map(
      ({ fate, from, to, taken, landings: all }) => `${fate} ${from}-${to}, taken ${taken}, ${all.length}`,
    );
  };
  expect(told('latch-opens-early')).toEqual([
    'waits 3-123, taken 125, 121',
    'nested 124-154, taken one boundary later, 31',
    'on its own 155-155, taken one boundary later, 1',
  ]);
  expect(told('one-nmi')[0]).toMatch(/^waits 3-\d+, taken 101, /);
});

const custom = (...lines: string[]) =>
  play({ page: 't', name: 't', line: 1, lines: ['scenario t v0', 'design linux-4.2', ...lines] }, pages);
/** The handler does this once, not when the earlier NMI runs it before boundary 0. */
const edited = (...code: string[]) => {
  const once = ['cmpb $0, %gs:BREAKPOINT', 'je after_int3', 'movb $0, %gs:BREAKPOINT', ...code];
  const cell = ['nmi_body_quiet:', 'nmi_body_int3:', ...once, 'after_int3:', 'ret'].map(
    (line) => `| ${line}`,
  );
  return custom('body int3', 'inject nmi at task+2', 'edit kernel-4.2#bodies', ...cell);
};

test('what an event does not give back is lost, by name', () => {
  const lost = (...code: string[]) => {
    const { outcome } = edited(...code);
    return outcome.verdict === 'lost' ? outcome.sentence : outcome.verdict;
  };
  expect(lost('movq $0x1234, %rax', 'movq %rax, %gs:NMI_CR2')).toMatch(/^NMI 1 came back with cr2 = 0x1234/);
  expect(lost('swapgs', 'swapgs')).toBe('returns');
  expect(lost('movl $0xc0000102, %ecx', 'movl $0x77, %eax', 'xorl %edx, %edx', 'wrmsr')).toMatch(
    /^NMI 1 came back with kernelGsBase = 0x77/,
  );
});

test('two NMIs that strike while one waits are one', () => {
  const { counts, outcome } = custom('inject nmi at task+2', 'inject nmi at nmi+1', 'inject nmi at nmi+2');
  expect({ counts, outcome }).toMatchObject({
    outcome: { verdict: 'returns' },
    counts: { 'nmi-served': 2, 'nmi-merged': 1 },
  });
});

test('an NMI that no handler runs for is lost', () => {
  const code = ['nmi_from_kernel:', 'popq %rdx', 'iretq'];
  const { outcome } = custom(
    'inject nmi at task+2',
    'edit linux-4.2#test-b',
    ...code.map((line) => `| ${line}`),
  );
  expect(outcome.verdict === 'budget' || outcome.verdict === 'lost' ? outcome.verdict : outcome).toBe('lost');
});

test('what the surroundings have no handler for ends the run by name', () => {
  const name = (...code: string[]) => {
    const { outcome } = edited(...code);
    return outcome.verdict === 'not-modelled'
      ? outcome.name
      : outcome.verdict === 'lost'
        ? outcome.sentence
        : outcome.verdict;
  };
  expect(name('ud2')).toMatch(/^the kernel dies: nobody expected #UD at 0xffffffff8100/);
  expect(name('movq 0x10, %rax')).toMatch(/^the kernel dies: nobody expected #PF at 0xffffffff8100/);
  expect(name('xorl %ecx, %ecx', 'divl %ecx')).toBe('handler of #DE');
  expect(name('hlt')).toBe('no-progress');
});
