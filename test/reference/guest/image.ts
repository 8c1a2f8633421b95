/**
 * The guest that we, QEMU and Bochs run: assembled by our assembler, as a ROM that begins at reset. What it does is
 * told in `kernel.s`; the scenes are in the files behind it.
 */
import { readFileSync } from 'node:fs';
import { assemble } from '../../../src/asm/assemble.ts';
import { problemText } from '../../../src/asm/source.ts';

/** Scenes whose events the guest causes itself, and those that need somebody outside. */
const SCENES = {
  alone: ['faults', 'nmi', 'step', 'watch', 'break', 'rings', 'pages', 'end'],
  outside: ['outside'],
};
/** Where the ROM's first 60 KiB lie in RAM, and where they are linear. */
export const IMAGE_AT = 0x1_0000;
const HIGH = 0xffff_ffff_8000_0000n;
const ROM_SIZE = 0x1_0000;

/** Sections and their places in the ROM. */
const SECTIONS = [
  { name: '.text', address: HIGH + BigInt(IMAGE_AT), limit: 0xd000, offset: 0 },
  { name: '.scenes', address: HIGH + BigInt(IMAGE_AT) + 0xd000n, limit: 0x1000, offset: 0xd000 },
  { name: '.user', address: 0x5_0000n, limit: 0x1000, offset: 0xe000 },
  { name: '.boot', address: 0xffff_f000n, limit: 0x1000, offset: 0xf000 },
];

export interface Guest {
  readonly rom: Uint8Array;
  /** Address of a label. @throws Error for one that is not there */
  at(label: string): bigint;
  /** An address as `label+n`. */
  name(address: bigint): string;
  /** What is no address of the guest's text, as a number. */
  shown(value: bigint): string;
}

/** @param peer whose scenes: some are only for one of them */
export function guestFor(peer: 'qemu' | 'bochs', kind: keyof typeof SCENES = 'alone'): Guest {
  const sources = ['boot', 'kernel', ...SCENES[kind]].map((name) => {
    const text = readFileSync(new URL(`${name}.s`, import.meta.url), 'utf8');
    return { page: `${name}.s`, name, line: 1, lines: text.split('\n') };
  });
  const { image, problems } = assemble(sources, {
    sections: SECTIONS.map((one) => ({ ...one, writable: true, executable: true, user: false })),
    symbols: { IMAGE_AT: BigInt(IMAGE_AT), QEMU: peer === 'qemu' ? 1n : 0n },
  });
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
  const rom = new Uint8Array(ROM_SIZE);
  for (const { name, bytes } of image.segments)
    rom.set(bytes, SECTIONS.find((one) => one.name === name)?.offset);
  const labels = new Map(image.symbols.map(({ name, address }) => [name, address]));
  const name = (address: bigint): string => {
    let [found, from] = ['', 0n];
    for (const [label, start] of labels)
      if (start <= address && start >= from && address - start < 0x1000n) [found, from] = [label, start];
    if (found === '') return address.toString(16);
    return address === from ? found : `${found}+${address - from}`;
  };
  return {
    rom,
    at(label) {
      const address = labels.get(label);
      if (address === undefined) throw new Error(`unknown label: ${label}`);
      return address;
    },
    name,
    shown: (value) =>
      SECTIONS.some(
        ({ name, address, limit }) => name !== '.boot' && value >= address && value < address + BigInt(limit),
      )
        ? name(value)
        : value.toString(16),
  };
}
