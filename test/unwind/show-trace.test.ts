import { expect, test } from 'vitest';
import { walkByFramePointer } from '../../src/unwind/frame-pointer.ts';
import { walkByLink } from '../../src/unwind/link-rules.ts';
import { DEFAULT_PICK, unwinders } from '../../src/unwind/rules.ts';
import { show } from '../../src/unwind/show-trace.ts';
import type { Trace } from '../../src/unwind/view.ts';
import { at, bodyView, nested, symbol } from './world.ts';

test('a walk by links prints as 4.9', () => {
  expect(show(walkByLink(14, bodyView(nested())), symbol)).toEqual([
    'RIP: 0010:[<ffffffff81000254>]  [<ffffffff81000254>] nmi_body+0x14/0x40',
    'Call Trace:',
    ' <NMI> ',
    ' [<ffffffff81000221>] do_nmi+0x21/0x40',
    ' [<ffffffff810001e0>] end_repeat_nmi+0x20/0x40',
    ' [<ffffffff810000dc>] do_work+0x1c/0x40',
    ' [<ffffffff81000180>] ? repeat_nmi+0x0/0x40',
    ' [<ffffffff81000254>] ? nmi_body+0x14/0x40',
    ' <EOE> ',
    ' [<ffffffff81000091>] process_one+0x11/0x40',
    ' [<ffffffff8100004c>] sys_work+0xc/0x40',
    ' [<ffffffff81000005>] syscall_body+0x5/0x40',
  ]);
});

test('a frame-pointer walk prints as 4.10, with its warning first', () => {
  expect(show(walkByFramePointer('4.13', bodyView(nested())), symbol)).toEqual([
    "WARNING: kernel stack regs at fffffe000000fef8 in task:1 has bad 'bp' value ffffc90000013f20",
    'RIP: 0010:nmi_body+0x14/0x40',
    'Call Trace:',
    ' <NMI>',
    ' do_nmi+0x21/0x40',
    ' end_repeat_nmi+0x20/0x40',
    ' do_work+0x1c/0x40',
    ' </NMI>',
  ]);
});

test('guesses, IRQ stacks and stacks without a line', () => {
  const trace: Trace = {
    unwinder: 'end-2',
    entries: [{ ip: at('do_work'), slot: 8n, guess: true, stack: 'IRQ' }],
    end: 'stopped',
    path: [
      { stack: '#DB', sp: 0n },
      { stack: 'IRQ', sp: 8n },
    ],
    reason: '',
    warning: undefined,
  };
  const printed = [' <#DB> ', ' <EOE> ', ' <IRQ> ', ' [<ffffffff810000d0>] ? do_work+0x10/0x40', ' <EOI> '];
  expect(show(trace, symbol)).toEqual(['Call Trace:', ...printed]);
  expect(show({ ...trace, unwinder: 'frame-pointer' }, symbol)).toContain(' ? do_work+0x10/0x40');
});

test('the four that a page asks, in order', () => {
  expect(unwinders().map(({ id, name, era }) => [id, name, era])).toEqual([
    ['end-2', 'end[-2]', '4.9'],
    ['end-9', 'end[-9]', "the reader's pick"],
    ['end-14', 'end[-14]', 'proposed in July 2016'],
    ['frame-pointer', 'frame pointer', '4.10'],
  ]);
  expect(DEFAULT_PICK).toBe(9);
  const shown = bodyView(nested());
  expect(unwinders(14, '4.13').map(({ unwind }) => unwind(shown).end)).toEqual([
    'stopped',
    'complete',
    'complete',
    'warned',
  ]);
  expect(unwinders(9).map(({ unwind }) => unwind(shown).unwinder)).toEqual([
    'end-2',
    'end-9',
    'end-14',
    'frame-pointer',
  ]);
});

test('a pick that is no word is refused', () => {
  expect(() => unwinders(0)).toThrow('invalid pick: 0, not a word from 1 to 512');
  expect(() => unwinders(513)).toThrow('invalid pick: 513, not a word from 1 to 512');
});
