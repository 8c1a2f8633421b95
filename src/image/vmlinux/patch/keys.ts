/** What a boot makes of tests of static keys, and of other places that hold a value of the running system. */
import type { KeySite } from '../sites.ts';
import { NOPS } from './nops.ts';
import { BRANCH, branchTo, JMP, JMP_SHORT, type TextCopy, wordsOf } from './text-copy.ts';

const SHORT = 2;

/** A jump where the key is on and the test unlikely, or off and likely; else a nop (arch/x86/kernel/jump_label.c). */
export function applyKeys(text: TextCopy, sites: readonly KeySite[], isOn: (key: bigint) => boolean): void {
  for (const { address, target, key, likely } of sites) {
    const first = text.at(address, 1)?.[0];
    if (first === undefined) continue;
    const short = first === JMP_SHORT || first === 0x66;
    if (isOn(key) === likely)
      text.write('static key', address, NOPS[short ? SHORT : BRANCH] as readonly number[]);
    else if (short) text.write('static key', address, [JMP_SHORT, Number(target - address) - SHORT]);
    else text.write('static key', address, branchTo(JMP, address, target));
  }
}

/** An ENDBR64, and the nop that only sealed ones become: functions that nothing calls through a pointer (apply_seal_endbr()). */
const ENDBR = [0xf3, 0x0f, 0x1e, 0xfa];
const SEALED = [0x66, 0x0f, 0x1f, 0x00];

export function applySeals(text: TextCopy, sites: readonly bigint[]): void {
  for (const address of sites)
    if (ENDBR.every((byte, n) => text.at(address, ENDBR.length)?.[n] === byte))
      text.write('sealed entry', address, SEALED);
}

const LOCK = 0xf0;
const DS = 0x3e;

/** LOCK prefixes of a kernel that runs on one processor (alternatives_smp_unlock()). */
export function unlock(text: TextCopy, sites: readonly bigint[]): void {
  for (const address of sites)
    if (text.at(address, 1)?.[0] === LOCK) text.write('lock prefix', address, [DS]);
}

/** Constants that stand in instructions (asm/runtime-const.h, since 6.11): eight bytes of a value, or one of a shift. */
export function applyConstant(text: TextCopy, sites: readonly bigint[], value: bigint, bytes: 1 | 8): void {
  const word = new Uint8Array(8);
  wordsOf(word).setBigUint64(0, value, true);
  for (const address of sites) text.write('constant', address, word.subarray(0, bytes));
}
