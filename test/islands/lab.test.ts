import { h } from 'preact';
import render from 'preact-render-to-string';
import { expect, test } from 'vitest';
import Lab, { type LabProps } from '../../src/islands/Lab.tsx';
import { bake, nearby } from '../../src/islands/lab/bake.ts';
import { Provenance } from '../../src/islands/lab/Provenance.tsx';
import { createState } from '../../src/islands/lab/state.ts';
import { Words } from '../../src/islands/lab/Words.tsx';
import { plain } from '../../src/islands/lab/words.ts';
import { nestedNmi } from './fixture.ts';

const timeline = nestedNmi();
const baked = bake(timeline);
if (!baked) throw new Error('missing frames');
const { frame, rows } = baked;

const html = render(
  h(Lab, {
    baked,
    standing: { state: 'same' },
    bodies: ['quiet', 'int3'],
    link: 'https://example.org/s/nested-nmi/v1#t92~k3v9qdtw',
    predict: { question: 'Which record still leads to the task?', answer: 'outermost', at: 'nmi-2' },
  }),
);
const decode = (text: string) =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');
/** What a reader sees of a piece of HTML. */
const text = (piece: string) => decode(piece.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');
const piece = (from: RegExp, to: string) => {
  const start = html.search(from);
  return html.slice(start, html.indexOf(to, start));
};

test('without a script every word of the stack is there, with value, meaning and author', () => {
  const words = text(piece(/<table[^>]*class="wt"/, '</section>'));
  expect(frame.words.length).toBe(33);
  for (const { index, field, value, meaning, author } of frame.words) {
    const hex = value.toString(16).padStart(16, '0');
    expect(words).toContain(`${index} ${field} ${hex.slice(0, 8)} ${hex.slice(8)}`);
    expect(words).toContain(meaning);
    expect(words).toContain(author.name);
  }
  for (const name of ['original', 'iret', 'outermost']) expect(words).toContain(name);
});

test('without a script the sentence, the latch, the truth and every verdict are there', () => {
  const all = text(html);
  expect(all.replace(/ (?=[:.,])/g, '')).toContain(plain(timeline.steps[10]?.sentence ?? '?'));
  expect(all).toContain('NMIs blocked');
  expect(all).toContain('none pending');
  for (const { text: line } of frame.truth) expect(all).toContain(line);
  for (const { reason, printed } of frame.verdicts) {
    expect(all).toContain(reason);
    for (const line of printed) expect(all).toContain(line.trim());
  }
});

test('without a script every step is a row, and every stretch of equal judgement is named', () => {
  const table = piece(/<details[^>]*class="steps"/, '</details>');
  const lines = table.split('<tr>').map((row) => text(row).replace(/ (?=[:.,])/g, ''));
  timeline.steps.forEach(({ boundary, name, sentence }, i) => {
    const row = lines[i + 2] ?? '';
    expect(row).toContain(`${boundary} ${name} ${plain(sentence)} ${rows[i]?.rsp}`);
    for (const record of rows[i]?.records ?? []) expect(row).toContain(record);
  });
  expect(text(table)).toContain('end[-14] 0-1 not asked; 2-20 wrong, silent; 21-57 right');
});

test('without a script the whole listing is there and the next instruction is marked once', () => {
  const list = piece(/<ol[^>]*aria-label="Entry code"/, '</ol>');
  expect(list.match(/<li/g)?.length).toBe(timeline.code.length);
  expect(list.match(/aria-current="step"/g)?.length).toBe(1);
  expect(text(list.slice(list.indexOf('aria-current')))).toContain('popq %rdx');
  expect(list).toContain('strikes here: nmi at nmi-body.after-int3');
});

test('the page of a moment leads to all rows and lines, and has what is near it', () => {
  const page = render(h(Lab, { baked: nearby(baked, '/s/nested-nmi/v0/') }));
  const list = page.slice(page.search(/<ol[^>]*aria-label="Entry code"/));
  expect(list.slice(0, list.indexOf('</ol>')).match(/<li/g)?.length).toBe(41);
  expect(text(list.slice(list.indexOf('aria-current')))).toContain('popq %rdx');
  expect(page.match(/href="\/s\/nested-nmi\/v0\/"/g)?.length).toBe(2);
  const table = page.slice(page.search(/<details[^>]*class="steps"/));
  expect(text(table)).toContain(`The same run as a table: ${timeline.steps.length} steps`);
  expect(table).not.toContain('<tr');
  expect(text(table)).toContain('end[-14] 0-1 not asked; 2-20 wrong, silent; 21-57 right');
});

test('the slider says in words where it is', () => {
  const slider = decode(/<div[^>]*role="slider"[^>]*>/.exec(html)?.[0] ?? '');
  expect(slider).toContain('aria-valuemin="0"');
  expect(slider).toContain('aria-valuemax="165"');
  expect(slider).toContain('aria-valuenow="92"');
  expect(slider).toContain(
    'aria-valuetext="nested_nmi_out, boundary 92 of 165, The nested stub has written only the iret:',
  );
});

/** The classes of all elements around a place in the HTML. */
function around(index: number): readonly string[] {
  const open: string[] = [];
  for (const [tag, end, name = '', selfClosed] of html
    .slice(0, index)
    .matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g)) {
    if (end) open.pop();
    else if (!selfClosed && name !== 'input') open.push(/class="([^"]*)"/.exec(tag)?.[1] ?? '');
  }
  return open.flatMap((classes) => classes.split(' '));
}

test('every control stands where a missing script hides it, and no mark is left to colour alone', () => {
  const controls = [...html.matchAll(/<(button|select|input|fieldset)\b/g)];
  expect(controls.length).toBeGreaterThan(8);
  for (const { index, 0: tag } of controls) {
    const own = /class="([^"]*)"/.exec(html.slice(index, html.indexOf('>', index)))?.[1] ?? '';
    expect([...around(index), ...own.split(' ')], tag).toContain('js');
  }
  for (const cell of html.match(/<td class="c [^"]*">.*?<\/td>/g) ?? ['none'])
    expect(cell).toMatch(/class="vh">\w/);
  for (const verdict of html.match(/<span class="vd [^"]*">.*?<\/span>/g) ?? ['none']) {
    expect(verdict).toMatch(/#g-\w+/);
    expect(text(verdict).trim()).not.toBe('');
  }
});

test('record words in sentences and comments look alike', () => {
  expect(html).toContain('written only the <span class="rec iret">iret</span>');
  expect(html).toContain('RSP of <span class="rec iret">iret</span>');
  expect(html).not.toMatch(/iretq?<\/span>q/);
});

test('the HTML of the island is small', async () => {
  const { gzipSync } = await import('node:zlib');
  expect(gzipSync(html).length).toBeLessThan(12_000);
});

test('code that was changed is named in the banner; no rule is offered twice', () => {
  const { timeline: outline } = baked;
  const recipe = `${outline.recipe}edit    linux-4.2#nested\n| nop\n`;
  const banner = (standing: LabProps['standing']) => {
    const shown = render(
      h(Lab, { baked: { ...baked, timeline: { ...outline, recipe } }, standing } as LabProps),
    );
    return text(/<span class="standing.*?boundaries/.exec(shown)?.[0] ?? '');
  };
  expect(banner({ state: 'same', as: 'link' })).toContain('same as the link, edited: linux-4.2#nested, 165');
  expect(banner({ state: 'draft' })).toContain('draft, edited: linux-4.2#nested, 165');
  const offered = [...html.matchAll(/<option[^>]*value="(\d+)"/g)].map(([, k]) => k);
  expect([offered.length, offered.includes('2'), offered.includes('14')]).toEqual([31, false, false]);
});

test('the tab key leads to one row of each table of words, whichever word is selected', () => {
  const state = createState(baked, () => new Promise(() => {}), {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
  });
  state.live.value = true;
  const last = frame.words.at(-1)?.index ?? 0;
  for (const [index, stops] of [
    [-9, [-9, -18]],
    [last, [-1, last]],
  ] as const) {
    state.selected.value = index;
    const rows = [...render(h(Words, { state })).matchAll(/<tr[^>]*data-word[^>]*>/g)].map(([row]) => row);
    const found = rows.filter((row) => /tabindex="0"/i.test(row));
    expect(found.map((row) => Number(/data-word="(-?\d+)"/.exec(row)?.[1]))).toEqual(stops);
  }
});

test('the safeguards of the design are switches, and lines that are taken out are struck through', () => {
  expect(text(html)).toContain('Safeguards: all 2 in place');
  expect(text(piece(/<details class="safeguards/, '</details>'))).toContain('test-c the flag');
  const row = timeline.code.find(({ kind }) => kind === 'instruction');
  if (!row) throw new Error('missing instruction');
  const removed = { ...row, kind: 'removed' as const, text: 'je nested_nmi', comment: 'C' };
  const other = bake({ ...timeline, without: ['test-c'], code: [removed, ...timeline.code] });
  if (!other) throw new Error('missing frames');
  const page = render(h(Lab, { baked: other }));
  expect(page).toMatch(/<del><span class="i"><b>je<\/b> nested_nmi<\/span><\/del>/);
  expect(text(page)).toContain('Safeguards: without test-c');
});

/** What is told of the word that a state begins with. */
const told = (one: typeof timeline): string => {
  const shown = bake(one);
  if (!shown) throw new Error('missing frames');
  const state = createState(shown, (() => {}) as never, {
    standing: { state: 'same' },
    pick: undefined,
    link: '',
  });
  return text(render(h(Provenance, { state }))).replace(/ (?=[,.:])/g, '');
};

test('a word that may hold anything is told by its value, and no comma stands for its meaning', () => {
  const words = frame.words.map((word) => (word.index === -9 ? { ...word, meaning: '' } : word));
  const bare = told({ ...timeline, frames: timeline.frames.with(frame.boundary, { ...frame, words }) });
  expect(bare).toMatch(/q\(-9\) iret\.rsp: [0-9a-f]{16}, written by/);
});

test('the word told first is the RSP of the iret record, or of the only record there is', () => {
  const [original] = timeline.records;
  if (!original) throw new Error('missing record');
  expect(told(timeline)).toContain('q(-9) iret.rsp:');
  expect(told({ ...timeline, records: [original] })).toContain('q(-2) original.rsp:');
});
