/** The build id and the banner: which build of which kernel this is. */
import { hex, latin1, Reader } from '../reading.ts';
import { type Elf, sectionOf } from './elf.ts';
import type { KernelMemory } from './memory.ts';
import type { SymbolTable } from './symbols.ts';

const BUILD_ID = 3;
const LONGEST_BANNER = 512;

/** The build id of `.notes`, in hexadecimal (gabi, "Note Section"; type 3 of owner GNU). */
export function readBuildId(elf: Elf): string | undefined {
  const section = sectionOf(elf, '.notes') ?? sectionOf(elf, '.note.gnu.build-id');
  if (!section) return undefined;
  const source = new Reader(section.bytes, section.name);
  for (let at = 0; at + 12 <= source.length; ) {
    const [nameSize, size, type] = [source.u32(at), source.u32(at + 4), source.u32(at + 8)];
    const name = latin1(source.slice(at + 12, nameSize));
    const data = at + 12 + ((nameSize + 3) & ~3);
    if (type === BUILD_ID && name === 'GNU\0') return hex(source.slice(data, size));
    at = data + ((size + 3) & ~3);
  }
  return undefined;
}

/** What `/proc/version` shows: `Linux version 6.12.1 (...) ...`. */
export function readBanner(memory: KernelMemory, symbols: SymbolTable): string | undefined {
  const address = symbols.address('linux_banner');
  const bytes = address === undefined ? undefined : memory.upTo(address, LONGEST_BANNER);
  const end = bytes?.indexOf(0) ?? -1;
  return bytes && end > 0 ? latin1(bytes.subarray(0, end)).trim() : undefined;
}
