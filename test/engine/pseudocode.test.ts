/** One semantics, several meanings: what only bigint can run fails here. */
import { expect, test } from 'vitest';
import { Processor } from '../../src/engine/processor.ts';
import {
  notModelled,
  PARTS,
  type Part,
  printAfterInstruction,
  printBoundary,
  printBreakpoints,
  printDelivery,
  printErets,
  printEretu,
  printFredDelivery,
  printIret,
  printShape,
  printWalk,
  printWatchpoints,
  recordPart,
  recordShape,
} from '../../src/engine/pseudocode.ts';
import { AMD, INTEL } from '../../src/engine/vendor.ts';
import type { Field } from '../../src/isa/state.ts';
import { CASES } from '../../src/isa/table/index.ts';

const caseOf = (name: string) => {
  const found = CASES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`unknown case: ${name}`);
  return found;
};

/** A value that must not be looked into. */
class Opaque {
  [Symbol.toPrimitive](): never {
    throw new Error('a semantics looked into a value');
  }
  toString(): never {
    throw new Error('a semantics looked into a value');
  }
  valueOf(): never {
    throw new Error('a semantics looked into a value');
  }
  toJSON(): never {
    throw new Error('a semantics looked into a value');
  }
}

/** Every word the machine has; each call is written down, every value made by `value`. */
const WORDS: readonly string[] = [
  'word',
  'add',
  'sub',
  'mul',
  'div',
  'and',
  'or',
  'xor',
  'shl',
  'shr',
  'sar',
  'signed',
  'eq',
  'below',
  'less',
  'select',
  'parity',
  'get',
  'reg',
  'address',
  'addressAt',
  'operandRights',
  'read',
  'readToModify',
  'load',
  'inMemory',
  'loadPhysical',
  'rip',
  'nextRip',
  'noTrack',
];
const DEEDS: readonly string[] = [
  'raise',
  'reraise',
  'stop',
  'set',
  'setReg',
  'write',
  'store',
  'storePhysical',
  'walked',
  'translated',
  'jump',
  'jumpTo',
  'hold',
  'ownStep',
  'log',
  'logEvent',
];

/** Names of the words a semantics says, in order, when every value is what `value` makes. */
function words(value: () => unknown, body: (m: Processor<unknown>) => void): string {
  const said: string[] = [];
  abstract class Tracer extends Processor<unknown> {
    readonly vendor = INTEL;
    when(_: unknown, then: () => void, otherwise?: () => void): void {
      said.push('when');
      then();
      said.push('else');
      otherwise?.();
    }
    choose(_: unknown, then: () => unknown, otherwise: () => unknown): unknown {
      said.push('choose');
      then();
      said.push('else');
      otherwise();
      return value();
    }
    attempt(first: () => void, second: () => void): void {
      said.push('attempt');
      first();
      said.push('raised');
      second();
    }
  }
  for (const name of WORDS)
    Object.defineProperty(Tracer.prototype, name, {
      value(...args: readonly unknown[]) {
        said.push(`${name} ${args.filter((arg) => typeof arg === 'string').join(' ')}`);
        return value();
      },
    });
  for (const name of DEEDS)
    Object.defineProperty(Tracer.prototype, name, {
      value(...args: readonly unknown[]) {
        said.push(`${name} ${args.filter((arg) => typeof arg === 'string').join(' ')}`);
      },
    });
  // The words above are not abstract any more, which the type system cannot see.
  const Concrete = Tracer as unknown as new () => Processor<unknown>;
  body(new Concrete());
  return said.join('\n');
}

/** A branch on a value shows when all values are false, or all the same. */
function sameForAnyValue(body: (m: Processor<unknown>) => void): void {
  const shared = new Opaque();
  const fresh = words(() => new Opaque(), body);
  expect(words(() => shared, body)).toBe(fresh);
  expect(words(() => undefined, body)).toBe(fresh);
  expect(fresh.length).toBeGreaterThanOrEqual(0);
}

test('every name that the engine stops with has a sentence', () => {
  const found = notModelled();
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter(({ meaning }) => !/^[A-Z\p{Lu}x].*\.$/u.test(meaning)).map(({ name }) => name)).toEqual(
    [],
  );
  for (const { by } of found) for (const name of by) expect(name).toMatch(/^\w+$/);
});

test('no instruction branches in JavaScript on a value', () => {
  for (const { semantics, shape } of CASES) sameForAnyValue((m) => semantics(m, shape));
});

test('neither does delivery, IRETQ, the boundary, what follows an instruction, or the walk', () => {
  for (const part of Object.keys(PARTS) as Part[]) {
    const names = { named: () => new Opaque(), truth: () => new Opaque() };
    sameForAnyValue((m) => PARTS[part](m, names));
  }
});

test('the tracer does see such a branch', () => {
  const branching = (m: Processor<unknown>): void => {
    if (m.get('rax')) m.jump(m.get('rbx'));
  };
  expect(() => sameForAnyValue(branching)).toThrow();
  expect(() => sameForAnyValue((m) => m.jump(m.word(Number(m.get('rax')))))).toThrow(
    'a semantics looked into a value',
  );
});

test('every case has a text and a record, without a trace of how it is computed', () => {
  for (const one of CASES) {
    const text = printShape(one).join('\n');
    for (const [name] of text.matchAll(/\bt\d+\b/g)) expect(text, one.name).toContain(`${name} := `);
    expect(text, one.name).not.toMatch(/undefined|\[object|flagResult|flagCarry|attention|NaN/);
    const record = recordShape(one);
    expect(record.length, one.name).toBeGreaterThanOrEqual(3);
    expect(record.join('\n'), one.name).not.toMatch(/undefined|\[object/);
  }
});

test('the text of an instruction', () => {
  expect(printShape(caseOf('neg/32 m'))).toEqual([
    'memory32[a]′ := 0 - memory32[a]',
    'OF SF ZF AF PF CF := flags32 of 0 - memory32[a]',
  ]);
  expect(recordShape(caseOf('neg/32 m'))).toEqual([
    'reads a',
    'writes a <- a; status flags <- a',
    'raises #PF, #AC, #GP, #SS',
  ]);
  expect(printShape(caseOf('push/64 m'))).toEqual(['memory64[RSP - 8]′ := memory64[a]', 'RSP′ := RSP - 8']);
  expect(printShape(caseOf('cmpxchg/64 m,r')).slice(1, 3)).toEqual([
    'if RAX != memory64[a]',
    '  RAX′ := memory64[a]',
  ]);
  expect(printShape(caseOf('repz cmps/8 m')).at(-2)).toBe('  if (left != 0) and ZF′');
  expect(printShape(caseOf('inc/32 r'))).toEqual(['a′ := a + 1', 'OF SF ZF AF PF := flags32 of a + 1']);
  expect(printShape(caseOf('bsf/64 r,r')).slice(0, 2)).toEqual(['if b != 0', '  a′ := lowest_one(b)']);
  expect(printShape(caseOf('syscall'))).toContain('  R11′ := RFLAGS without RF');
  expect(printShape(caseOf('rdmsr'))[1]).toBe('if ECX == IA32_EFER');
  expect(printShape(caseOf('div/32 r'))[0]).toBe('raise #DE unless EDX < a');
  expect(printShape(caseOf('int3'))).toEqual(['deliver #BP, returning to next_RIP']);
});

test('the text of delivery: numbered, in order, every step with its faults', () => {
  expect(printDelivery()).toMatchSnapshot();
  expect(printDelivery().filter((line) => /^\d/.test(line))).toHaveLength(8);
});
test('the text of IRETQ says what the vendor does with NMIs', () => {
  expect(printIret()).toMatchSnapshot();
  expect(printIret(INTEL)).toContain('8. If that raised, NMIs are unblocked all the same.');
  expect(printIret(AMD)).toContain('8. If that raised, NMIs stay blocked.');
});
test('the text of delivery by FRED, ERETS and ERETU', () => {
  expect(printFredDelivery()).toMatchSnapshot();
  expect(printErets()).toMatchSnapshot();
  expect(printEretu()).toMatchSnapshot();
  expect(printFredDelivery().filter((line) => /^\d/.test(line))).toHaveLength(8);
});
test('the text of the boundary, of what follows an instruction, and of the walk', () => {
  expect(printBoundary()).toMatchSnapshot();
  expect(printAfterInstruction()).toMatchSnapshot();
  expect(printWalk()).toMatchSnapshot();
});

test("the text of the breakpoints; behind a load of SS they are the vendor's", () => {
  expect(printBreakpoints()).toMatchSnapshot();
  expect(printWatchpoints()).toMatchSnapshot();
  expect(printBreakpoints(INTEL)[0]).toBe('if armed.execution and not (RFLAGS.RF or shadow.MOV_SS)');
  expect(printBreakpoints(AMD)[0]).toBe('if armed.execution and not RFLAGS.RF');
});

test('the record of delivery names what it reads, writes and raises', () => {
  const [reads = '', writes = '', raises] = recordPart('delivery');
  const needed: readonly Field[] = ['cs', 'ss', 'rsp'];
  for (const name of needed) expect(reads).toContain(name.toUpperCase());
  expect(writes).toContain(
    'memory64 <- SS + RSP + RFLAGS + status flags + fault + CS + return_rip + error_code',
  );
  expect(raises).toBe('raises #GP, #PF, #NP, #TS, #SS');
});
