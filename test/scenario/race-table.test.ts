import { expect, test } from 'vitest';
import { readPaste } from '../../src/scenario/mail-in.ts';
import { raceTable, readRaceTable } from '../../src/scenario/race-table.ts';
import { parse } from '../../src/scenario/recipe.ts';
import { playRecipe } from '../../src/scenario/run.ts';
import type { Timeline } from '../../src/scenario/timeline.ts';
import { breakLines, crlf, quote, quotedPrintable, refill, tabs } from './mailers.ts';
import { named, pages, randomRun } from './random-run.ts';
import { Random } from './recipe-random.ts';

/** ENTRYLAB_STATES=500 looks further. */
const STATES = Number(process.env.ENTRYLAB_STATES ?? 30);

const again = (text: string): Timeline => {
  const paste = readPaste(text);
  if (paste.kind !== 'race') throw new Error(`${paste.kind}: ${text}`);
  const { recipe, problems } = parse(paste.source);
  if (!recipe) throw new Error(JSON.stringify(problems));
  return playRecipe(recipe, pages);
};
const boundaries = ({ injections }: Timeline) =>
  injections.map(({ boundary }) => boundary).toSorted((a, b) => a - b);

test('the nested NMI as a table', () => {
  const table = raceTable(playRecipe(named('nested-nmi'), pages));
  expect(table.split('\n').slice(0, 11)).toEqual([
    '    design linux-4.2  start kernel-task  body int3',
    '    task                   NMI 1                 NMI 2',
    '    nmi at task+2',
    '                           delivered, RSP top-40',
    '                           first_nmi',
    '                           repeat_nmi',
    '                           end_repeat_nmi',
    '                           #BP delivered, #DB stack',
    '                           nmi at int3_entry, waits',
    '                           iretq to after_int3',
    '                                                 after iretq: RSP top-40',
  ]);
});

test('table -> schedule -> table, over random runs and through any mailer', () => {
  for (let seed = 0; seed < STATES; seed++) {
    const r = new Random(seed);
    const { timeline } = randomRun(r, seed % 3 === 0 ? 'user-task' : 'kernel-task');
    const table = raceTable(timeline);
    if (timeline.injections.length === 0) {
      expect(table).toBe('');
      continue;
    }
    expect(Math.max(...table.split('\n').map((line) => line.length)), `seed ${seed}`).toBeLessThanOrEqual(72);
    const second = again(table);
    expect(boundaries(second), `seed ${seed}`).toEqual(boundaries(timeline));
    expect(raceTable(second), `seed ${seed}`).toBe(table);
    const mangled = r.pick([
      (text: string) => crlf(quote(quote(text))),
      (text: string) => quote(tabs(text)),
      (text: string) => quotedPrintable(quote(text)),
      (text: string) => breakLines(quote(text), 60, true).join('\n'),
      (text: string) => quote(refill(text, 60)),
    ])(`Look at this:\n\n${table}\nWhat do you think?\n`);
    expect(raceTable(again(mangled)), `seed ${seed}`).toBe(table);
  }
});

test('events that are not listed in the order of time are told by boundary', () => {
  const base = named('nested-nmi');
  const at = (n: number) => ({ event: 'nmi', position: { kind: 'boundary', n } }) as const;
  const label = {
    event: 'nmi',
    position: { kind: 'label', label: 'int3_entry', occurrence: 1, steps: 0, bytes: 0 },
  } as const;
  const timeline = playRecipe(
    { ...base, expects: [], cursor: undefined, injects: [at(3), label, at(40)] },
    pages,
  );
  const table = raceTable(timeline);
  expect(table).toContain('nmi at b40');
  expect(table).not.toContain('nmi at int3_entry');
  expect(raceTable(again(table))).toBe(table);
});

test('what is read, and what is not a table', () => {
  const one = readRaceTable('Hi,\n\n  task    NMI 1\n  nmi at task+2\n     nmi at b40, waits\n\nnmi at home');
  expect(one).toEqual({
    schedule: [
      { event: 'nmi', position: { kind: 'label', label: 'task', occurrence: 1, steps: 2, bytes: 0 } },
      { event: 'nmi', position: { kind: 'boundary', n: 40 } },
    ],
    setup: '',
    from: 2,
    to: 5,
  });
  for (const text of ['', 'task NMI', 'task\nNMI 1', 'nmi at task+2', 'task NMI\n\nnmi at task'])
    expect({ text, read: readRaceTable(text) }).toEqual({ text, read: undefined });
  expect(readRaceTable('task NMI nmi at +3')).toEqual({ problem: 'invalid position: +3' });
  expect(readRaceTable('task NMI nmi at')).toEqual({
    problem: 'missing position: a race table ends with at',
  });
  expect(readRaceTable('task NMI nmi at cursor')).toEqual({
    problem: 'invalid position: cursor (in a race table)',
  });
});

test('a table comes third: after a recipe and after a link', () => {
  const table = '  task NMI\n  nmi at task+2\n';
  expect(readPaste(`${table}\nscenario a v0\ndesign d`).kind).toBe('recipe');
  expect(readPaste(`${table}\n/s/a/v1`).kind).toBe('link');
  expect(readPaste(`scenario a v1\n\n${table}`).kind).toBe('race');
  expect(readPaste('task NMI nmi at ?')).toEqual({ kind: 'nothing', problem: 'invalid position: ?' });
  const paste = readPaste(`Hello\n\n${table}\nbye`);
  expect(paste).toMatchObject({ kind: 'race', ignored: 'Hello\nbye' });
  // Without a set-up line the table says what strikes, not on what.
  expect(paste.kind === 'race' && parse(paste.source).problems.map(({ message }) => message)).toEqual([
    'missing design',
  ]);
});
