/** Instructions of every row, with random operands, prefixes and bytes behind: seeded, so the same each time. */
import type { Encoding } from '../../src/isa/notation.ts';
import { ENCODINGS, widthsOf } from '../../src/isa/table/index.ts';
import { type Address, codeOf } from './code.ts';
import { edge, Random } from './random.ts';

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];

function randomAddress(random: Random): Address {
  const base = random.oneIn(8) ? undefined : random.oneIn(10) ? 'rip' : random.below(16);
  const indexed = base !== 'rip' && random.oneIn(2);
  const index = random.below(16);
  return {
    base,
    index: indexed && index !== 4 ? index : undefined,
    scale: indexed && index !== 4 ? random.pick([1, 2, 4, 8] as const) : 1,
    displacement: random.oneIn(3) ? BigInt(random.below(256) - 128) : edge(random, 32),
    size: random.pick([0, 1, 4] as const),
    segment: random.oneIn(12) ? random.pick(['fs', 'gs'] as const) : undefined,
  };
}

/** One instruction of a row. @param prefixed whether other prefixes may stand before it */
export function instructionOf(encoding: Encoding, random: Random, prefixed: boolean): Uint8Array {
  const rm = encoding.forms.find(({ place }) => place === 'rm' || place === 'moffs');
  const memory = rm?.memory === true && !(rm.register && random.oneIn(2));
  const prefixes = prefixed && random.oneIn(4) ? [random.pick(PREFIXES)] : [];
  return codeOf(encoding, {
    width: random.pick(widthsOf(encoding)),
    prefixes,
    reg: random.below(16),
    low: random.below(16),
    vex: encoding.forms.some(({ place }) => place === 'vex') ? random.below(16) : 0,
    rm: memory ? randomAddress(random) : random.below(16),
    rex: random.oneIn(6),
    immediate: edge(random, random.pick([8, 16, 32, 64])),
  });
}

/** `count` distinct instructions, the rows in turn; `seen` holds them in hexadecimal. */
export function* corpus(count: number, seed: number, prefixed: boolean): Generator<Uint8Array> {
  const random = new Random(seed);
  const seen = new Set<string>();
  const rows = ENCODINGS.filter(({ row }) => !row.mnemonic.startsWith('('));
  for (let n = 0; seen.size < count && n < 20 * count; n++) {
    const bytes = instructionOf(rows[n % rows.length] as Encoding, random, prefixed);
    const key = Buffer.from(bytes).toString('hex');
    if (seen.has(key)) continue;
    seen.add(key);
    yield bytes;
  }
}

/** Bytes without a plan: what is no instruction must not become one. */
export function* noise(count: number, seed: number): Generator<Uint8Array> {
  const random = new Random(seed);
  for (let n = 0; n < count; n++)
    yield Uint8Array.from({ length: 15 }, () =>
      random.oneIn(6) ? random.pick(PREFIXES) : random.below(256),
    );
}
