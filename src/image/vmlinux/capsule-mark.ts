/** What says of a vmlinux that it is a capsule: a section that names the symbols it was made for. */
import { latin1 } from '../reading.ts';
import { type Elf, sectionOf } from './elf.ts';

export const CAPSULE = '.entrylab.capsule';

/** The symbols of a capsule; undefined of a whole kernel. */
export function capsuleOf(elf: Elf): readonly string[] | undefined {
  const section = sectionOf(elf, CAPSULE);
  return (
    section &&
    latin1(section.bytes)
      .split('\0')
      .filter((name) => name !== '')
  );
}
