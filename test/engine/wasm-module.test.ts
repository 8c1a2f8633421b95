import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AddressSpace } from '../../src/engine/address-space.ts';
import { engineBytes, wasm } from '../../src/engine/backends/wasm/backend.ts';
import { caseNumber, FIRST, HANDLERS, HOT_HANDLERS } from '../../src/engine/backends/wasm/cases.ts';
import { MODULE_FILE, moduleText } from '../../src/engine/backends/wasm/generate.ts';
import { Machine } from '../../src/engine/machine.ts';
import { CASES } from '../../src/isa/table/index.ts';

test('the committed module is what the semantics give: else run generate.ts', { timeout: 300_000 }, () => {
  // Not toBe: two hundred kilobytes of difference would be printed.
  expect(moduleText() === readFileSync(MODULE_FILE, 'utf8')).toBe(true);
});

test('every case has a number, and the numbers are those of the handlers', () => {
  const numbers = CASES.map(({ shape }) => caseNumber(shape));
  expect(new Set(numbers).size).toBe(HANDLERS.length);
  expect(Math.min(...numbers.map((number) => number ?? -1))).toBe(FIRST);
  expect(Math.max(...numbers.map((number) => number ?? -1))).toBe(HANDLERS.length + FIRST - 1);
  for (const [n, { shape }] of HANDLERS.entries()) expect(caseNumber(shape)).toBe(n + FIRST);
  expect(caseNumber({ ...(CASES[0] as (typeof CASES)[0]).shape, name: 'none' })).toBeUndefined();
});

test('the one large function stays small enough to be compiled at once; gzipped, the module is 36 kB at most', async () => {
  expect(HOT_HANDLERS).toBeLessThan(250);
  const bytes = engineBytes();
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  expect((await new Response(stream).arrayBuffer()).byteLength).toBeLessThan(36_000);
  // The memory it wants is the one that every machine has, from the smallest to the largest.
  for (const frames of [1, 32_768]) expect(() => new Machine({ frames, backend: wasm() })).not.toThrow();
});

test('it imports its memory and nothing else', () => {
  const module = new WebAssembly.Module(engineBytes());
  expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'engine', name: 'memory', kind: 'memory' }]);
});

test('bytes that are no instruction, and fetches that fault, are told as the oracle tells them', () => {
  const machine = new Machine({ backend: wasm() });
  const space = new AddressSpace(machine);
  space.map(0x1000n, 1, { executable: true });
  space.write(0x1000n, Uint8Array.of(0x90, 0x06));
  machine.set('cr3', space.root);
  machine.set('rip', 0x1000n);
  expect(machine.run(2)).toBe(2);
  expect([machine.get('pendingVector'), machine.get('pendingRip')]).toEqual([6n, 0x1001n]);
  machine.set('pendingKind', 0n);
  machine.set('rip', 0x5000n);
  expect(machine.run(1)).toBe(1);
  expect([machine.get('pendingVector'), machine.get('cr2')]).toEqual([14n, 0x5000n]);
});
