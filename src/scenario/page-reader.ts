/** Words of kernel memory by linear address, read as fast as observers of every boundary need. */
import type { AddressSpace } from '../engine/address-space.ts';
import type { Machine } from '../engine/machine.ts';

/** Eight bytes; undefined where nothing is mapped. Page tables are taken to stay as they are. */
export function pageReader(machine: Machine, space: AddressSpace): (address: bigint) => bigint | undefined {
  const pages = new Map<bigint, number | undefined>();
  return (address) => {
    const page = address >> 12n;
    if (!pages.has(page)) pages.set(page, space.physical(page << 12n));
    const frame = pages.get(page);
    const offset = Number(address & 0xfffn);
    return frame === undefined || offset % 8 !== 0
      ? machine.read(address, 64)
      : machine.physicalWord(frame + offset);
  };
}
