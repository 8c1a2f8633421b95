/** The architectural state as text: what a digest is made of, equal under every backend. */
import { CR4, FIELDS, type Field } from '../isa/state.ts';
import { offsetOf, RESET } from './layout.ts';

/** Fields that are not architectural: caches of other fields, scratch, and the tool's own. */
const INTERNAL: ReadonlySet<Field> = new Set<Field>([
  'zero',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  'cpl',
  'armedBreakpoints',
  'metBreakpoints',
  'raisedVector',
  'raisedCode',
  'attention',
  'stop',
  'journalHead',
  'logHead',
]);

/** RFLAGS at reset (SDM vol 3, table 10-1). */
const RFLAGS_AT_RESET = 2n;

/** What they hold means something only while something is pending. */
const OF_PENDING: ReadonlySet<Field> = new Set<Field>([
  'pendingVector',
  'pendingCode',
  'pendingRip',
  'pendingInfo',
]);

const SHOWN = FIELDS.filter((name) => !INTERNAL.has(name));

/** What only FRED delivers of it. */
const ofFred = (cr4: bigint): boolean => ((cr4 >> BigInt(CR4.fred)) & 1n) !== 0n;

const PENDING_KIND = offsetOf.pendingKind >> 2;
const FRED_HALF = (offsetOf.cr4 >> 2) + (CR4.fred >> 5);
const ALWAYS_SHOWN = SHOWN.filter((name) => !OF_PENDING.has(name)).map((name) => offsetOf[name] >> 2);

/** Two numbers of 32 bits stirred into one word: the steps of MurmurHash3's finaliser, which is in the public domain. */
const stirred = (hash: number, word: number): number => {
  const mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) ^ (mixed >>> 16);
};

/**
 * A number for what `describeState` says, for those who ask at every boundary: states with equal text have equal numbers,
 * others differ as far as 53 bits can tell.
 *
 * @param halves the state block, a field two words
 * @param rest numbers that are to count as well
 */
export function sumState(halves: Int32Array, rflags: number, rest: readonly number[]): number {
  let a = stirred(0x243f_6a88, rflags);
  let b = stirred(0x1319_8a2e, rflags);
  const fold = (word: number): void => {
    a = stirred((a + 0x7f4a_7c15) | 0, word);
    b = stirred((b + 0x27d4_eb2f) | 0, word);
  };
  const pending = halves[PENDING_KIND] !== 0;
  const fred = ((halves[FRED_HALF] as number) >> (CR4.fred & 31)) & 1;
  for (const at of ALWAYS_SHOWN) {
    fold(halves[at] as number);
    fold(halves[at + 1] as number);
  }
  for (const name of pending ? OF_PENDING : []) {
    if (name === 'pendingInfo' && fred === 0) continue;
    const at = offsetOf[name] >> 2;
    fold(halves[at] as number);
    fold(halves[at + 1] as number);
  }
  for (const word of rest) fold(word);
  return (b & 0x1f_ffff) * 0x1_0000_0000 + (a >>> 0);
}

/** One sorted `name=value` a line in hexadecimal; values as at reset are left out, RFLAGS is canonical. */
export function describeState(get: (field: Field) => bigint, rflags: bigint): string {
  const pending = get('pendingKind') !== 0n;
  const info = pending && ofFred(get('cr4'));
  const shown = SHOWN.filter((name) => (name === 'pendingInfo' ? info : pending || !OF_PENDING.has(name)));
  const lines = shown.map((name): readonly [string, bigint, bigint] => [name, get(name), RESET[name] ?? 0n]);
  lines.push(['rflags', rflags, RFLAGS_AT_RESET]);
  return lines
    .filter(([, value, reset]) => value !== reset)
    .map(([name, value]) => `${name}=${value.toString(16)}`)
    .sort()
    .join('\n');
}
