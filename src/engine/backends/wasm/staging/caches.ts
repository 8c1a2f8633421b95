/** Functions written by hand: finding text, forgetting what was cached, marks. */
import binaryen from 'binaryen';
import { AC } from '../../../../isa/flags.ts';
import { FIELDS, type Field } from '../../../../isa/state.ts';
import { refreshAttention } from '../../../events/shadows.ts';
import { FRAME_FLAG, FRAME_FLAGS, FRAMES, JOURNAL_ENTRY, offsetOf } from '../../../layout.ts';
import { RIGHTS, translate } from '../../../paging.ts';
import { UNRESOLVED } from '../cases.ts';
import {
  INTERNAL,
  NOWHERE,
  PART,
  RECORD,
  TABLE_OF,
  TLB,
  TRANSLATIONS_END,
  WORD,
  XTLB,
  XTLB_ENTRIES,
  XTLB_ENTRY,
  XTLB_FIELD,
  XTLB_PART,
} from '../layout.ts';
import type { Functions } from './functions.ts';
import type { Code, Value } from './words.ts';

const { i32, i64, none } = binaryen;

/** Bytes of the state block that are in use: what a mark keeps. */
const STATE_BYTES = FIELDS.length * 8;
/** Where the parts of the caches begin that are ever filled. */
const FILLED = TLB + PART.supervisor;
const PAGE = ~0xfffn;
/** What decides what a translation is, or whether it may be cached. */
const FLUSHING: readonly Field[] = ['cr0', 'cr3', 'cr4', 'efer', 'dr0', 'dr1', 'dr2', 'dr3', 'dr7'];
/** An instruction of 15 bytes that covers a byte begins at most 14 bytes before it. */
const REACH = 14;

export function addCaches(f: Functions): void {
  addParts(f);
  addForgetting(f);
  addText(f);
  addMarks(f);
}

/** Which parts of the caches serve the CPL: asked for whenever CPL or AC has changed. CR0 changes at CPL 0 alone. */
function addParts(f: Functions): void {
  const { i32: n } = f.w;
  const user = (): Code => n.eq(f.word32(offsetOf.cpl), n.const(3));
  const ac = (): Code => n.and(f.word32(offsetOf.rflagsRest), n.const(Number(AC)));
  const kernel = f.w.select(ac(), n.const(PART.supervisorAc), n.const(PART.supervisor));
  // CR0.AM is the same bit as RFLAGS.AC.
  const program = f.w.select(n.and(ac(), f.word32(offsetOf.cr0)), n.const(PART.empty), n.const(PART.user));
  f.add(
    'chooseParts',
    [],
    none,
    [],
    [
      f.setWord32(WORD.dataPart, f.w.select(user(), program, kernel)),
      f.setWord32(WORD.textPart, f.w.select(user(), n.const(XTLB_PART), n.const(0))),
    ],
  );
}

function addForgetting(f: Functions): void {
  const { w } = f;
  const { i32: n } = w;
  const upper = offsetOf.attention + 4;
  // The current record was found through a translation: RIP must be looked up again.
  f.add(
    'flush',
    [],
    none,
    [],
    [
      w.memory.fill(n.const(FILLED), n.const(0xff), n.const(TRANSLATIONS_END - FILLED)),
      f.setWord32(WORD.generation, n.add(f.word32(WORD.generation), n.const(1))),
      f.setWord32(upper, n.or(f.word32(upper), n.const(INTERNAL.relocate))),
    ],
  );

  // The aligned word at a physical address, in a frame with a flag, has changed.
  const [pa, table, at, end] = [0, 1, 2, 3];
  const flags = n.load8_u(FRAME_FLAGS, 1, n.shr_u(f.local(pa), n.const(12)));
  const offset = (): Code => n.and(f.local(pa), n.const(0xff8));
  const record = (): Code => n.load(0, 4, f.local(at));
  const first = w.select(n.lt_u(offset(), n.const(REACH)), n.const(0), n.sub(offset(), n.const(REACH)));
  const forget = w.block(
    null,
    [
      w.local.set(table, n.load(TABLE_OF, 4, n.shl(n.shr_u(f.local(pa), n.const(12)), n.const(2)))),
      w.local.set(at, n.add(f.local(table), n.shl(first, n.const(2)))),
      w.local.set(end, n.add(f.local(table), n.shl(n.add(offset(), n.const(8)), n.const(2)))),
      w.loop(
        'each',
        w.block(
          null,
          [
            w.if(record(), n.store(RECORD.case, 4, record(), n.const(UNRESOLVED))),
            w.local.set(at, n.add(f.local(at), n.const(4))),
            w.br('each', n.lt_u(f.local(at), f.local(end))),
          ],
          none,
        ),
      ),
      w.if(
        n.le_u(offset(), n.const(REACH)),
        f.setWord32(WORD.headStores, n.add(f.word32(WORD.headStores), n.const(1))),
      ),
    ],
    none,
  );
  const flagged = 4;
  f.add(
    'touched',
    [i32],
    none,
    [i32, i32, i32, i32],
    [
      w.local.set(flagged, flags),
      w.if(n.and(f.local(flagged), n.const(FRAME_FLAG.pageTable)), w.call('flush', [], none)),
      w.if(n.and(f.local(flagged), n.const(FRAME_FLAG.text)), forget),
    ],
  );
}

/** Physical address of `rip` with the right to execute, or -1; whoever is told -1 takes the transition back. */
function walkText(f: Functions, rip: Code): Code[] {
  const { w } = f;
  const { i32: n, i64: l } = w;
  const call = f.call('translate', true, [rip, l.const(BigInt(RIGHTS.execute))], (m, va, rights) =>
    translate(m, va as Value, rights as Value),
  );
  return [
    f.setWord32(WORD.fetched, n.wrap(call)),
    w.if(
      w.global.get('raised', i32),
      w.block(null, [w.global.set('raised', n.const(0)), f.setWord32(WORD.fetched, n.const(-1))], none),
    ),
  ];
}

function addText(f: Functions): void {
  const { w } = f;
  const { i32: n, i64: l } = w;
  const rip = (): Code => f.local(0, i64);
  const entryOf = (va: Code): Code => {
    const index = n.and(n.shr_u(n.wrap(va), n.const(12 - 4)), n.const((XTLB_ENTRIES - 1) * XTLB_ENTRY));
    return n.add(index, f.word32(WORD.textPart));
  };
  const page = (): Code => l.and(rip(), l.const(PAGE));
  const nowhere = (): Code[] => [f.setWord64(WORD.textPage, rip()), w.return(n.const(NOWHERE))];
  const failed = (): Code => n.lt_s(f.word32(WORD.fetched), n.const(0));
  const tableOf = (): Code =>
    n.load(TABLE_OF, 4, n.shl(n.shr_u(f.word32(WORD.fetched), n.const(12)), n.const(2)));

  // The record of a RIP as the cache has it. Its `textPage` and the record together are RIP from now on.
  const [entry, record] = [1, 2];
  const byte = n.shl(n.wrap(l.and(rip(), l.const(0xfffn))), n.const(2));
  f.add(
    'lookup',
    [i64],
    i32,
    [i32, i32],
    [
      w.local.set(entry, entryOf(rip())),
      w.if(
        l.eq(l.load(XTLB + XTLB_FIELD.page, 8, f.local(entry)), page()),
        w.block(
          null,
          [
            w.local.set(
              record,
              n.load(0, 4, n.add(n.load(XTLB + XTLB_FIELD.table, 4, f.local(entry)), byte)),
            ),
            w.if(
              f.local(record),
              w.block(null, [f.setWord64(WORD.textPage, page()), w.return(f.local(record))], none),
            ),
          ],
          none,
        ),
      ),
      ...nowhere(),
      w.unreachable(),
    ],
  );

  const fill = (va: () => Code): Code[] => [
    w.local.set(entry, entryOf(va())),
    l.store(XTLB + XTLB_FIELD.page, 8, f.local(entry), va()),
    n.store(XTLB + XTLB_FIELD.table, 4, f.local(entry), tableOf()),
  ];
  // The same, walking if need be. A record that is `unresolved` is for JavaScript to decode.
  f.add(
    'resolve',
    [i64],
    i32,
    [i32, i32],
    [
      w.local.set(record, w.call('lookup', [rip()], i32)),
      w.if(n.load(RECORD.case, 4, f.local(record)), w.return(f.local(record))),
      ...walkText(f, rip()),
      w.if(failed(), w.block(null, nowhere(), none)),
      w.if(n.eqz(tableOf()), w.block(null, nowhere(), none)),
      ...fill(page),
      w.return(w.call('lookup', [rip()], i32)),
      w.unreachable(),
    ],
  );

  // Whether a record's instruction still goes on in the frame it was decoded from; `rip` is the page behind.
  const current = 1;
  const holds = n.eq(n.load(RECORD.headStores, 4, f.local(current)), f.word32(WORD.headStores));
  const sameTable = (found: Code): Code => n.eq(found, n.load(RECORD.second, 4, f.local(current)));
  const place = 2;
  f.add(
    'continues',
    [i64, i32],
    i32,
    [i32],
    [
      w.if(n.eqz(holds), w.return(n.const(0))),
      w.local.set(place, entryOf(rip())),
      w.if(
        l.eq(l.load(XTLB + XTLB_FIELD.page, 8, f.local(place)), rip()),
        w.return(sameTable(n.load(XTLB + XTLB_FIELD.table, 4, f.local(place)))),
      ),
      ...walkText(f, rip()),
      w.if(failed(), w.return(n.const(0))),
      w.if(n.eqz(sameTable(tableOf())), w.return(n.const(0))),
      w.local.set(place, entryOf(rip())),
      l.store(XTLB + XTLB_FIELD.page, 8, f.local(place), rip()),
      n.store(XTLB + XTLB_FIELD.table, 4, f.local(place), tableOf()),
      w.return(n.const(1)),
      w.unreachable(),
    ],
  );

  f.add('fetch', [i64], i32, [], [...walkText(f, rip()), w.return(f.word32(WORD.fetched)), w.unreachable()]);
  w.addFunctionExport('fetch', 'fetch');
}

/** `mark` copies the state block to a place; `undo` takes back what was stored since, and the state block. */
function addMarks(f: Functions): void {
  const { w } = f;
  const { i32: n, i64: l } = w;
  const [place, head, pa, end] = [0, 1, 2, 3];
  f.add('mark', [i32], none, [], [w.memory.copy(f.local(place), n.const(0), n.const(STATE_BYTES))]);
  const changed = (field: Field): Code =>
    l.ne(f.word64(offsetOf[field]), l.load(offsetOf[field], 8, f.local(place)));
  const flags = n.load8_u(FRAME_FLAGS, 1, n.shr_u(f.local(pa), n.const(12)));
  f.add(
    'undo',
    [i32],
    none,
    [i32, i32, i32],
    [
      w.local.set(head, f.word32(offsetOf.journalHead)),
      w.local.set(end, n.load(offsetOf.journalHead, 4, f.local(place))),
      w.block(
        'taken',
        [
          w.loop(
            'each',
            w.block(
              null,
              [
                w.br('taken', n.le_u(f.local(head), f.local(end))),
                w.local.set(head, n.sub(f.local(head), n.const(JOURNAL_ENTRY))),
                w.local.set(pa, n.load(0, 4, f.local(head))),
                l.store(FRAMES, 8, f.local(pa), l.load(8, 8, f.local(head))),
                w.if(flags, w.call('touched', [f.local(pa)], none)),
                w.br('each'),
              ],
              none,
            ),
          ),
        ],
        none,
      ),
      w.if(
        FLUSHING.map(changed).reduce((a, b) => n.or(a, b)),
        w.call('flush', [], none),
      ),
      w.memory.copy(n.const(0), f.local(place), n.const(STATE_BYTES)),
    ],
  );
  w.addFunctionExport('mark', 'mark');
  w.addFunctionExport('undo', 'undo');
  f.call('refreshAttention', false, [], (m) => void refreshAttention(m));
  w.addFunctionExport('refreshAttention', 'refreshAttention');
}
