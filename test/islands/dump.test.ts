/** The alignment of traces, and what the dumps ask, on the run of the first page. */
import { describe, expect, test } from 'vitest';
import { alignDumps } from '../../src/islands/lab/dump-rows.ts';
import { createDumping } from '../../src/islands/lab/dumping.ts';
import type { Asker, DumpAsk } from '../../src/islands/lab/protocol.ts';
import { switchesIn, withSwitch } from '../../src/islands/lab/recipe-text.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { dumpAt } from '../../src/scenario/dump.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { runOf } from '../../src/scenario/reader.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'nested-nmi');
if (!source) throw new Error('no scenario: nested-nmi');
const run = runOf(pages, 'nested-nmi');
const boundary = run.boundary('after_int3-2');
const dump = dumpAt(source, pages, { boundary, unwinders: ['dump-trace', 'orc-6.12'] });
if (typeof dump === 'string') throw new Error(dump);

test('rows stand by place on the stack, whoever printed them, and what is alive is marked', () => {
  const rows = alignDumps(dump).flatMap(({ name, rows: all }) =>
    all.map(({ text, alive, cells }) => {
      const marks = cells.map((line) => (line ? (line.certain ? '+' : '?') : '-')).join('');
      return `${name} ${text.replace(/\/.*/, '')} ${marks}${alive ? ' alive' : ''}`;
    }),
  );
  expect(rows).toEqual([
    'NMI do_nmi+0x32 ++ alive',
    'NMI end_repeat_nmi+0x3c ++ alive',
    'NMI do_work+0x11 ?+ alive',
    'NMI repeat_nmi+0x0 ??',
    'NMI nmi_body_int3+0x22 ??',
    'TASK process_one+0x11 -- alive',
    'TASK sys_work+0xb -- alive',
    'TASK syscall_body+0x5 -- alive',
  ]);
});

describe('questions', () => {
  const asked: DumpAsk[] = [];
  const ask = (async (question: DumpAsk) => {
    asked.push(question);
    return { kind: 'dumped', dump };
  }) as unknown as Asker;
  test('switches go into the recipe, and out of it again', async () => {
    const dumping = createDumping(ask);
    dumping.set('nmi-link', 'end-14');
    dumping.choose('orc-4.14', true);
    await dumping.fetch(run.timeline.recipe, boundary);
    const [last] = asked;
    expect(switchesIn(last?.recipe ?? '')).toEqual({ 'nmi-link': 'end-14' });
    expect(last?.unwinders).toEqual(['dump-trace', 'frame-pointer-4.10', 'orc-4.14', 'orc-6.12']);
    expect(runOf(pages, 'nested-nmi').timeline.recipe).toBe(
      withSwitch(last?.recipe ?? '', 'nmi-link', undefined),
    );
  });
  test('a row is changed once, and all are put back at once', () => {
    const dumping = createDumping(ask);
    const [found] = dump.rows;
    if (!found?.row) throw new Error('no row');
    dumping.edit(found.row.address, { ...found.row, offset: 48 });
    dumping.edit(found.row.address, undefined);
    expect(dumping.edits.value).toEqual([{ address: found.row.address, row: undefined }]);
    dumping.restore();
    expect(dumping.edits.value).toHaveLength(0);
  });
});
