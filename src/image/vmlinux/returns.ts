/** What becomes of returns at boot: a jump to the thunk that the processor needs, or a plain RET. */
import type { Kernel } from '../kernel-file.ts';
import type { Patch } from './patch.ts';
import { readSites } from './sites.ts';

const JMP = 0xe9;
const RET = 0xc3;
const INT3 = 0xcc;
const LENGTH = 5;

/** Features that ask for a thunk, and its name; of several the last (arch/x86/kernel/cpu/bugs.c, 6.12). */
const THUNKS: readonly (readonly [feature: string, ...symbols: readonly string[]])[] = [
  ['unret', 'retbleed_return_thunk', 'zen_return_thunk'],
  ['call_depth', 'call_depth_return_thunk', '__x86_return_skl'],
  ['srso', 'srso_return_thunk'],
  ['srso_alias', 'srso_alias_return_thunk'],
];

/**
 * apply_returns() (arch/x86/kernel/alternative.c, 6.12): without `rethunk` every site becomes RET and INT3s; with it, and a feature
 * that has a thunk of its own, the jump is turned there. Sites that are no jump stay.
 *
 * @param features numbers of the features the processor has
 */
export function returnPatches(kernel: Kernel, features: ReadonlySet<number>): readonly Patch[] {
  const { memory, symbols } = kernel;
  const has = (name: string): boolean => {
    const number = kernel.features.number(name);
    return number !== undefined && features.has(number);
  };
  const rethunk = has('rethunk');
  const names = rethunk ? THUNKS.filter(([feature]) => has(feature)).at(-1) : undefined;
  const thunk = names
    ?.slice(1)
    .map((name) => symbols.address(name))
    .find((address) => address !== undefined);
  if (rethunk && thunk === undefined) return [];
  const patches: Patch[] = [];
  for (const address of readSites(kernel.elf, '.return_sites')) {
    if (memory.upTo(address, LENGTH)?.[0] !== JMP) continue;
    const bytes = new Uint8Array(LENGTH).fill(INT3);
    if (thunk === undefined) bytes[0] = RET;
    else {
      bytes[0] = JMP;
      new DataView(bytes.buffer).setInt32(
        1,
        Number(BigInt.asIntN(32, thunk - address - BigInt(LENGTH))),
        true,
      );
    }
    patches.push({ address, bytes });
  }
  return patches;
}
