/**
 * The fixed interpreter: one handler a case, operands read from records, all state in the imported memory.
 * It depends on no loaded image, so that its bytes are made when the site is built.
 *
 * `run` is one function with one `switch`: a function for each handler is more than three times slower.
 */
import binaryen from 'binaryen';
import { MISSING_ENDBRANCH } from '../../../../isa/endbranch.ts';
import { VECTOR } from '../../../../isa/ops.ts';
import type { Case } from '../../../../isa/table/index.ts';
import { boundary } from '../../../events/boundary.ts';
import { executionBreakpoints } from '../../../events/debug.ts';
import { latchFault } from '../../../events/pending.ts';
import { retire } from '../../../events/shadows.ts';
import { ATTENTION, FRAMES, MAX_FRAMES, offsetOf } from '../../../layout.ts';
import { ADDR32, CROSSING, ENDING_WAIT, FIRST, HANDLERS, HOT_HANDLERS, UNRESOLVED } from '../cases.ts';
import { INTERNAL, RECORD, RECORD_SIZE, WORD } from '../layout.ts';
import { addCaches } from './caches.ts';
import { Functions } from './functions.ts';
import { Locals } from './locals.ts';
import { Stage } from './stage.ts';
import type { Code, Exits, Value } from './words.ts';

const { i32, i64, none } = binaryen;
const { Features } = binaryen;

/** The bytes of the module. Seconds of work, the same bytes every time. @param level binaryen's, 0 to 4 */
export function makeInterpreter(level = 2): Uint8Array {
  const w = new binaryen.Module();
  w.setFeatures(Features.SignExt | Features.MutableGlobals | Features.BulkMemory | Features.BulkMemoryOpt);
  w.setMemory(FRAMES / 0x1_0000, (FRAMES + MAX_FRAMES * 0x1000) / 0x1_0000, null, []);
  w.addMemoryImport('0', 'engine', 'memory');
  w.addGlobal('raised', i32, true, w.i32.const(0));
  const functions = new Functions(w, (...given) => new Stage(...given));
  addCaches(functions);
  addAwaited(functions);
  addCold(functions, addRun(functions));
  if (w.validate() !== 1) throw new Error('invalid module: binaryen says why above');
  binaryen.setOptimizeLevel(level);
  binaryen.setShrinkLevel(0);
  // What `run` calls stays outside: a local of what is inlined would be kept through every turn of its loop.
  binaryen.setOneCallerInlineMaxSize(0);
  // Every address lies in the memory, so what is not used need not be loaded.
  binaryen.setTrapsNeverHappen(true);
  if (level > 0) w.optimize();
  const bytes = w.emitBinary().slice();
  w.dispose();
  return bytes;
}

/** Parameter and locals of `run`. */
const LOCAL = { budget: 0, record: 1, left: 2, chosen: 3, target: 4 } as const;
const LOCAL_TYPES = [i32, i32, i32, i64];
const UPPER = offsetOf.attention + 4;
const COLD_TABLE = 'cold';

/** One handler. Falling off its end goes on at the next record. */
function emitHandler(m: Stage, { shape, semantics }: Case): Code[] {
  return m.captureForVendors(() => {
    if (shape.a.kind === 'm' || shape.b.kind === 'm' || shape.c.kind === 'm') m.takeAddress();
    semantics(m, shape);
  });
}

/**
 * Handlers that are functions: from a record to the next one, or 0 for a raise or a stop. Each case has one but those hot ones that
 * never leave an instruction to it, which are not among `missed`.
 */
function addCold(f: Functions, missed: ReadonlySet<Case>): void {
  const { w } = f;
  const { i32: n } = w;
  const record = 0;
  const behind = n.add(f.local(record), n.const(RECORD_SIZE));
  const exits: Exits = {
    record,
    callsAccesses: true,
    raised: () => [w.return(n.const(0))],
    jump: (to) => [w.return(w.call('lookup', [to], i32))],
    jumpTo: () => [w.return(n.load(RECORD.target, 4, f.local(record)))],
    hold: () => [w.return(f.local(record))],
    keepRf: () => [f.setWord32(WORD.keepRf, n.const(1))],
    ownStep: () => [f.setWord32(WORD.ownStep, n.const(1))],
  };
  f.add('never', [i32], i32, [], [w.unreachable()]);
  const names = HANDLERS.map((one, number) => {
    if (number < HOT_HANDLERS && !missed.has(one)) return 'never';
    const locals = new Locals(1);
    const code = emitHandler(f.stage(locals, exits), one);
    f.add(`cold${number}`, [i32], i32, locals.types, [...code, w.return(behind), w.unreachable()]);
    return `cold${number}`;
  });
  w.addTable(COLD_TABLE, names.length, names.length);
  w.addActiveElementSegment(COLD_TABLE, 'handlers', names, n.const(0));
}

const latch = (f: Functions): Code => f.call('latchFault', false, [], (m) => void latchFault(m, m.rip()));

/**
 * Whether the instruction of a record is not the ENDBR64 that is waited for: then #CP is latched. Where it is not
 * decoded yet, or crosses a page end, JavaScript is asked to look at it.
 */
function addAwaited(f: Functions): void {
  const { w } = f;
  const { i32: n, i64: l } = w;
  const [record, number] = [0, 1];
  const isOneOf = (numbers: readonly number[]): Code =>
    numbers.map((one) => n.eq(f.local(number), n.const(one))).reduce((a, b) => n.or(a, b));
  const missing = f.call(
    'missingEndbranch',
    false,
    [],
    (m) => void m.raise(VECTOR.CP, m.word(MISSING_ENDBRANCH)),
  );
  const rip = l.add(f.word64(WORD.textPage), l.load(RECORD.offset, 8, f.local(record)));
  const ask = [f.setWord32(WORD.asks, n.const(1)), w.return(n.const(1))];
  f.add(
    'awaited',
    [i32],
    i32,
    [i32],
    [
      w.local.set(number, n.load(RECORD.case, 4, f.local(record))),
      w.if(isOneOf([CROSSING]), f.setWord32(WORD.fetched, n.const(-1))),
      w.if(isOneOf([UNRESOLVED, CROSSING]), w.block(null, ask, none)),
      w.if(isOneOf(ENDING_WAIT), w.return(n.const(0))),
      f.setWord64(offsetOf.rip, rip),
      missing,
      w.global.set('raised', n.const(0)),
      latch(f),
      w.return(n.const(1)),
      w.unreachable(),
    ],
  );
}

/** @returns the cases whose hot handlers leave an instruction to the function of the same case */
function addRun(f: Functions): ReadonlySet<Case> {
  const { w } = f;
  const { i32: n, i64: l } = w;
  const set = (local: keyof typeof LOCAL, value: Code): Code => w.local.set(LOCAL[local], value);
  const get = (local: keyof typeof LOCAL): Code => f.local(LOCAL[local]);
  const block = (...code: readonly Code[]): Code => w.block(null, [...code], none);
  const here = (): Code => l.add(f.word64(WORD.textPage), l.load(RECORD.offset, 8, get('record')));
  const syncRip = (): Code => f.setWord64(offsetOf.rip, here());
  // V8 takes no call's word that a result has no bits above its 32, and would clear them with each use of the local.
  const found = (record: Code): Code => set('record', n.and(record, n.const(0x7fff_ffff)));
  const find = (rip: Code): Code => found(w.call('lookup', [rip], i32));
  const count = (by: number): Code => set('left', n.add(get('left'), n.const(by)));
  const stopped = (...first: readonly Code[]): Code =>
    w.if(
      f.word32(offsetOf.stop),
      block(...first, f.setWord64(offsetOf.metBreakpoints, l.const(0n)), count(1), w.br('exit')),
    );
  const choose = (): Code => set('chosen', n.load(RECORD.case, 4, get('record')));
  /** JavaScript must decode, or take this transition over: the attempt did not happen. */
  const leave = (): Code[] => [count(1), f.setWord32(WORD.asks, n.const(1)), w.br('exit')];

  const locals = new Locals(1 + LOCAL_TYPES.length);
  const attention = (): Code => l.ne(f.word64(offsetOf.attention), l.const(0n));
  const begin = (): Code[] => [count(-1), choose()];
  // Straight to the next handler. What lies between two transitions is outside of the loop that this closes: its calls would
  // make V8 spill and load again, with every instruction, the locals that the loop hangs on.
  const next = (): Code =>
    block(w.br('between', attention()), w.br('between', n.eqz(get('left'))), ...begin(), w.br('dispatch'));
  const behind = (): Code => set('record', n.add(get('record'), n.const(RECORD_SIZE)));
  const toTarget = (): Code => set('record', n.load(RECORD.target, 4, get('record')));
  const exits: Exits = {
    record: LOCAL.record,
    raised: () => [w.br('fault')],
    jump: (to) => [w.local.set(LOCAL.target, to), w.br('jumped')],
    jumpTo: () => [toTarget(), next()],
    hold: () => [next()],
    keepRf: () => [f.setWord32(WORD.keepRf, n.const(1))],
    ownStep: () => [f.setWord32(WORD.ownStep, n.const(1))],
  };
  const unresolved = [
    found(w.call('resolve', [here()], i32)),
    choose(),
    w.br('dispatch', get('chosen')),
    ...leave(),
  ];
  const pageBehind = l.add(f.word64(WORD.textPage), l.const(0x1000n));
  const crossing = [
    set('chosen', n.load16_u(RECORD.inner, 2, get('record'))),
    w.br('dispatch', w.call('continues', [pageBehind, get('record')], i32)),
    f.setWord32(WORD.fetched, w.call('fetch', [here()], i32)),
    ...leave(),
  ];
  // The parts of the address lie in a record of their own, which has the case of the instruction.
  const parts = (): Code => n.load(RECORD.target, 4, get('record'));
  const part = (field: number): Code => l.load(0, 1, n.load16_u(field, 2, parts()));
  const scaled = l.shl(part(RECORD.index), l.load8_u(RECORD.scale, 1, parts()));
  const short = l.add(l.add(part(RECORD.base), scaled), l.load(RECORD.displacement, 8, parts()));
  const addr32 = [
    f.setWord64(WORD.shortAddress, l.and(short, l.const(0xffff_ffffn))),
    set('chosen', n.load16_u(RECORD.inner, 2, parts())),
    w.br('dispatch'),
  ];
  const missed = new Set<Case>();
  const handlers = [
    unresolved,
    crossing,
    addr32,
    [toTarget(), choose(), w.br('dispatch')],
    ...HANDLERS.slice(0, HOT_HANDLERS).map((one) => {
      locals.recycle();
      const miss = (when: Code): Code => {
        missed.add(one);
        return w.br('missed', when);
      };
      return [...emitHandler(f.stage(locals, { ...exits, miss }), one), behind(), next()];
    }),
  ];
  const labels = handlers.map((_, at) => `case${at}`);
  const handled = handlers.reduce(
    (inner, handler, at) => block(w.block(labels[at] ?? '', [inner], none), ...handler),
    w.switch(labels, 'cold', get('chosen')),
  );
  const number = n.sub(get('chosen'), n.const(FIRST));
  const type = binaryen.createType([i32]);
  const is = (number: number): Code => n.eq(get('chosen'), n.const(number));
  const dispatch = block(
    w.block(
      'jumped',
      [
        w.block(
          'cold',
          [
            w.block('missed', [handled], none),
            choose(),
            w.if(is(CROSSING), set('chosen', n.load16_u(RECORD.inner, 2, get('record')))),
            w.if(is(ADDR32), set('chosen', n.load16_u(RECORD.inner, 2, parts()))),
          ],
          none,
        ),
        set('chosen', w.call_indirect(COLD_TABLE, number, [get('record')], type, i32)),
        w.br('fault', n.eqz(get('chosen'))),
        found(get('chosen')),
        next(),
      ],
      none,
    ),
    find(w.local.get(LOCAL.target, i64)),
    next(),
  );

  const call = (
    name: string,
    parameters: readonly Code[],
    body: (m: Stage, ...p: readonly Value[]) => void,
  ) => f.call(name, false, parameters, (m, ...p) => void body(m, ...p));
  const retired = call(
    'retire',
    [
      f.word64(WORD.shadow),
      f.word64(WORD.flags),
      l.load32_u(WORD.keepRf, 4, n.const(0)),
      l.load32_u(WORD.ownStep, 4, n.const(0)),
    ],
    (m, shadow, flags, keepsRf, ownStep) =>
      retire(
        m,
        { shadow: shadow as Value, flags: flags as Value },
        { keepsRf: keepsRf as Value, ownStep: ownStep as Value },
      ),
  );
  const latched = latch(f);
  const delivered = call('boundary', [], (m) => boundary(m));
  const breakpoints = f.call('executionBreakpoints', true, [], (m) => executionBreakpoints(m));

  // Between two transitions, when the attention word asks for something.
  const own = block(
    set('chosen', f.word32(UPPER)),
    f.setWord32(UPPER, n.const(0)),
    w.if(n.and(get('chosen'), n.const(INTERNAL.retire)), retired),
    w.if(n.and(get('chosen'), n.const(INTERNAL.relocate)), find(here())),
  );
  // A stop, a shutdown among them, changes nothing; a fault of the delivery may have set CR2 before.
  const deliver = block(
    count(-1),
    syncRip(),
    f.setWord64(WORD.cr2, f.word64(offsetOf.cr2)),
    delivered,
    w.global.set('raised', n.const(0)),
    stopped(f.setWord64(offsetOf.cr2, f.word64(WORD.cr2))),
    find(f.word64(offsetOf.rip)),
    w.br('between'),
  );
  const watch = block(
    f.setWord64(WORD.shadow, f.word64(offsetOf.shadow)),
    f.setWord64(WORD.flags, f.word64(offsetOf.rflagsRest)),
    f.setWord32(WORD.keepRf, n.const(0)),
    f.setWord32(WORD.ownStep, n.const(0)),
    f.setWord32(UPPER, n.or(f.word32(UPPER), n.const(INTERNAL.retire))),
  );
  // The instruction must be ENDBR64.
  const awaited = block(
    found(w.call('resolve', [here()], i32)),
    w.if(
      w.call('awaited', [get('record')], i32),
      block(w.br('exit', f.word32(WORD.asks)), count(-1), w.br('between')),
    ),
  );
  const done = (): Code => w.br('exit', n.eqz(get('left')));
  const attended = (bits: bigint): Code => n.and(f.word32(offsetOf.attention), n.const(Number(bits)));
  const attend = block(
    w.if(f.word32(UPPER), own),
    done(),
    set('chosen', attended(ATTENTION.event | ATTENTION.full)),
    w.if(
      n.eq(
        attended(ATTENTION.event | ATTENTION.full | ATTENTION.breakpoints),
        n.const(Number(ATTENTION.breakpoints)),
      ),
      block(syncRip(), set('chosen', n.wrap(breakpoints))),
    ),
    w.if(get('chosen'), deliver),
    w.if(f.word32(offsetOf.attention), watch),
    w.if(attended(ATTENTION.endbranch), awaited),
  );

  const loop = block(
    w.if(attention(), attend),
    done(),
    ...begin(),
    w.block('fault', [w.loop('dispatch', dispatch)], none),
    stopped(),
    syncRip(),
    latched,
    w.br('between'),
  );
  const made = n.sub(get('budget'), get('left'));
  f.add(
    'run',
    [i32],
    i32,
    [...LOCAL_TYPES, ...locals.types],
    [
      f.setWord32(offsetOf.stop, n.const(0)),
      f.setWord32(WORD.asks, n.const(0)),
      w.call('chooseParts', [], none),
      find(f.word64(offsetOf.rip)),
      set('left', get('budget')),
      w.block('exit', [w.loop('between', loop)], none),
      f.setWord32(UPPER, n.const(0)),
      syncRip(),
      // The complement tells that JavaScript is asked.
      w.return(n.xor(made, n.sub(n.const(0), f.word32(WORD.asks)))),
      w.unreachable(),
    ],
  );
  w.addFunctionExport('run', 'run');
  return missed;
}
