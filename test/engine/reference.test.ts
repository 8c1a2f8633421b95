/** What the reference pages say of instructions is what the tables and the semantics say. */
import { expect, test } from 'vitest';
import { InstructionPrinter } from '../../src/engine/backends/print-instruction.ts';
import { Recorder } from '../../src/engine/backends/record.ts';
import { type Entry, instructionReference } from '../../src/engine/reference/entry.ts';
import { INTEL } from '../../src/engine/vendor.ts';
import { familyOf } from '../../src/isa/family.ts';
import { familiesOf, MNEMONICS } from '../../src/isa/mnemonics.ts';
import { DESCRIPTIONS } from '../../src/isa/table/descriptions.ts';
import { casesOf, ENCODINGS, ROWS } from '../../src/isa/table/index.ts';

let made: readonly Entry[] | undefined;
/** Made when first asked for: a missing description fails its own test by name. */
const reference = (): readonly Entry[] => {
  made ??= instructionReference();
  return made;
};
const entry = (family: string): Entry => {
  const found = reference().find((one) => one.family === family);
  if (found === undefined) throw new Error(`unknown family: ${family}`);
  return found;
};
const CASES = ENCODINGS.flatMap((encoding) => casesOf(encoding).map((found) => ({ encoding, ...found })));

test('every family of rows has a description, and every description rows', () => {
  const families = new Set(ROWS.map(familyOf));
  const missing = [...families].filter((family) => !DESCRIPTIONS.has(family));
  expect(missing, 'missing descriptions in src/isa/table/descriptions.ts').toEqual([]);
  const stale = [...DESCRIPTIONS.keys()].filter((family) => !families.has(family));
  expect(stale, 'descriptions without rows in src/isa/table/descriptions.ts').toEqual([]);
  for (const [family, { text }] of DESCRIPTIONS) expect(text, family).toMatch(/^[A-Z].*\.$/);
});

test('a family is one name, whatever its rows are called', () => {
  const names = (family: string) => entry(family).mnemonics.join(' ');
  expect(names('jcc')).toBe('jo jno jb jae je jne jbe ja js jns jp jnp jl jge jle jg');
  expect(names('movs')).toBe('movs rep movs repnz movs addr32 movs addr32 rep movs addr32 repnz movs');
  expect(entry('mov-cr').forms.map(({ text }) => text)).toContain('mov %reg64, %cr3');
  for (const family of DESCRIPTIONS.keys()) expect(family).toMatch(/^[a-z][a-z0-9-]*$/);
});

test('every spelling leads to a family, the one it is named after first', () => {
  for (const spelling of MNEMONICS) expect(familiesOf(spelling).length, spelling).toBeGreaterThan(0);
  for (const [spelling, family] of [
    ['jnz', 'jcc'],
    ['movq', 'mov'],
    ['movsb', 'movs'],
    ['movslq', 'movsx'],
    ['sysret', 'sysretq'],
    ['cqto', 'cwd'],
  ] as const)
    expect(`${spelling}: ${familiesOf(spelling)[0]}`).toBe(`${spelling}: ${family}`);
  expect(familiesOf('movq')).toContain('mov-cr');
});

test('faults are those the recorder saw, no more and no less', () => {
  const seen = new Map<string, Set<string>>();
  for (const { encoding, semantics, shape } of CASES) {
    const recorder = new Recorder();
    semantics(recorder, shape);
    const family = familyOf(encoding.row);
    const raises = seen.get(family) ?? new Set();
    for (const fault of recorder.raises) raises.add(fault);
    seen.set(family, raises);
  }
  for (const { family, faults } of reference()) {
    const told = new Set(faults.flatMap(({ fault }) => /^#[A-Z]{2}/.exec(fault) ?? []));
    expect(`${family}: ${[...told].sort()}`).toBe(`${family}: ${[...(seen.get(family) ?? [])].sort()}`);
  }
});

test('a flag the text assigns is declared as written or undefined', () => {
  const letters: Readonly<Record<string, string>> = {
    CF: 'C',
    PF: 'P',
    AF: 'A',
    ZF: 'Z',
    SF: 'S',
    OF: 'O',
    DF: 'D',
    IF: 'I',
    TF: 'T',
    NT: 'N',
  };
  for (const { encoding, semantics, shape, name } of CASES) {
    const printer = new InstructionPrinter(INTEL);
    semantics(printer, shape);
    const { writes, undefined: free } = encoding.row.flags;
    for (const flag of printer.flagsWritten.keys()) {
      const letter = letters[flag];
      if (letter !== undefined) expect(writes + free, `${name}: ${flag}`).toContain(letter);
    }
  }
});

test('a text fits a page, and no operand in it is a bare slot', () => {
  for (const { family, meanings } of reference())
    for (const { lines, label } of meanings) {
      const text = lines.filter((line) => !/^\d+\.|stop:/.test(line)).join('\n');
      expect(text, `${family} ${label}`).not.toMatch(/undefined|\[object|\b[abc]\b/);
      expect(Math.max(0, ...lines.map((line) => line.length)), `${family} ${label}`).toBeLessThan(150);
    }
});

test('what differs in width only is told once', () => {
  expect(entry('add').meanings).toHaveLength(1);
  expect(entry('push').meanings.map(({ label }) => label)).toEqual([
    'push %reg or push $imm or push mem',
    'push %fs',
    'push %gs',
  ]);
  const { meanings } = entry('div');
  expect(meanings.map(({ label, narrow }) => `${label}${narrow ? ', narrow' : ''}`)).toEqual([
    '64 bits',
    '16, 32 bits, narrow',
    '8 bits, narrow',
  ]);
});

test('a page of one instruction', () => {
  const { forms, operands, flags, faults, writes, runs } = entry('shl');
  expect(forms[0]).toEqual({
    opcodes: ['D0 /4', 'D0 /6'],
    text: 'shl $1, %reg/mem',
    widths: [8],
    lockable: false,
    refused: undefined,
  });
  expect(operands).toEqual([
    ['dst', ['register', 'memory']],
    ['src', ['immediate', 'CL']],
  ]);
  expect([...(flags[0]?.flags ?? [])].map(([name, { effect }]) => `${name} ${effect}`)).toEqual([
    'CF changes',
    'PF changes',
    'AF undefined',
    'ZF changes',
    'SF changes',
    'OF undefined',
  ]);
  expect(faults.map(({ fault }) => fault)).toEqual(['#GP(0)', '#SS(0)', '#AC(0)', '#PF(code)']);
  expect(writes.map(({ place, from }) => `${place} <- ${from}`)).toEqual([
    'dst <- dst,src',
    'status flags <- dst,src',
  ]);
  expect(runs).toBe(true);
});

test('conditions of faults are those of the text, outer ones first', () => {
  const { faults } = entry('iretq');
  expect(faults[0]).toEqual({ fault: '#GP(0)', when: 'RFLAGS.NT', code: true, of: [] });
  expect(faults.map(({ fault, when }) => `${fault} ${when}`)).toContain('#GP(0) ss_code == 0 and rpl == 3');
  expect(entry('clac').faults).toEqual([{ fault: '#UD', when: 'CPL != 0', code: true, of: [] }]);
  const [canonical] = entry('ret').faults.filter(({ when }) => when.startsWith('not canonical'));
  expect(canonical?.fault).toBe('#GP(0)');
});

test('what does not run says so, and by which name', () => {
  const { runs, refusals, meanings, forms } = entry('rdpmc');
  expect({ runs, refusals, meanings }).toEqual({
    runs: false,
    refusals: ['performance counters'],
    meanings: [],
  });
  expect(forms[0]?.refused).toBe('performance counters');
  expect(entry('iretq').refusals).toContain('return to compatibility mode');
});
