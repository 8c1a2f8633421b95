/** Words of kernel memory by linear address, read as fast as observers of every boundary need. */
import type { AddressSpace } from '../engine/address-space.ts';
import type { Machine } from '../engine/machine.ts';
import type { ReadWord, TextWord } from '../unwind/view.ts';

/** First byte of a stretch of code, and the first behind it. */
export type Stretch = readonly [begin: bigint, end: bigint];

export const isWithin = (stretches: readonly Stretch[], address: bigint): boolean =>
  stretches.some(([begin, end]) => address >= begin && address < end);

/**
 * Eight bytes; undefined where nothing is mapped. Page tables are taken to stay as they are.
 *
 * @param text with it, text addresses are looked for faster than word by word
 */
export function pageReader(machine: Machine, space: AddressSpace, text?: readonly Stretch[]): ReadWord {
  const frames = new Map<bigint, number | undefined>();
  // The page that was read last, and the frame it is mapped to: dumps read many words of one page.
  let [last, frame]: [bigint, number | undefined] = [-1n, undefined];
  const frameOf = (page: bigint): number | undefined => {
    if (page === last) return frame;
    if (!frames.has(page)) frames.set(page, space.physical(page));
    [last, frame] = [page, frames.get(page)];
    return frame;
  };
  const word = (address: bigint): bigint | undefined => {
    const offset = Number(address & 0xfffn);
    const found = frameOf(address - BigInt(offset));
    return found === undefined || offset % 8 !== 0
      ? machine.read(address, 64)
      : machine.physicalWord(found + offset);
  };
  if (!text) return word;

  // A word with another high half than all of text is no address of it, and most have one.
  const high = new Set(text.flatMap((ends) => ends.map((address) => Number(address >> 32n))));
  const nextText = (from: bigint, end: bigint): TextWord | undefined => {
    let at = from;
    while (at + 8n <= end) {
      const offset = Number(at & 0xfffn);
      const page = at - BigInt(offset);
      const found = offset % 8 === 0 ? frameOf(page) : undefined;
      if (found === undefined) {
        const value = word(at);
        if (value !== undefined && isWithin(text, value)) return { slot: at, ip: value };
        at += 8n;
        continue;
      }
      const left = Number(end - page);
      const to = Math.min(left - (left % 8), 0x1000);
      for (let place = offset; place < to; place += 8) {
        if (!high.has(machine.physicalHigh(found + place))) continue;
        const ip = machine.physicalWord(found + place);
        if (isWithin(text, ip)) return { slot: page + BigInt(place), ip };
      }
      at = page + BigInt(to);
    }
    return undefined;
  };
  return Object.assign(word, { nextText });
}
