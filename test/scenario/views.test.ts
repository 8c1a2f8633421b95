import { pages } from 'virtual:library';
import { expect, test } from 'vitest';
import { scenarioOf } from '../../src/scenario/library.ts';
import { BUDGET, stage } from '../../src/scenario/run.ts';
import { Views } from '../../src/scenario/views.ts';
import { nextText, type TextWord, type View } from '../../src/unwind/view.ts';

function textsOf(view: View, from: bigint, end: bigint): readonly TextWord[] {
  const found: TextWord[] = [];
  for (let at = nextText(view, from, end); at; at = nextText(view, at.slot + 8n, end)) found.push(at);
  return found;
}

test('text is found among the words of a stack as by one who reads every word', () => {
  const source = scenarioOf(pages, 'nested-nmi');
  const ready = source && stage(source, pages);
  if (!ready || 'problems' in ready) throw new Error('nested-nmi does not run');
  const { execution, injections } = ready;
  const views = new Views(execution);
  let words = 0;
  execution.run(injections, BUDGET, ({ boundary }) => {
    if (boundary % 8 !== 4) return;
    const view = views.now();
    const slow: View = { ...view, read: (address) => view.read(address) };
    for (const { begin, end } of view.stacks)
      for (const [from, to] of [
        [begin, end],
        [begin + 8n, end - 8n],
        [end - 0x68n, end - 4n],
        [end - 0x64n, end],
      ] as const) {
        const found = textsOf(view, from, to);
        expect(found).toEqual(textsOf(slow, from, to));
        const [first] = found;
        if (first === undefined) continue;
        words += found.length;
        const { slot } = first;
        expect(nextText(view, slot, slot + 8n)).toEqual(first);
        expect(nextText(view, slot - 8n, slot + 7n)).toEqual(nextText(slow, slot - 8n, slot + 7n));
      }
  });
  expect(words).toBeGreaterThan(300);
});
