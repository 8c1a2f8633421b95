/**
 * Our decoder and printer against iced-x86. Both write AT&T text; what is only another way to write the same is
 * written alike first, and said here.
 */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { decode } from '../../../src/isa/decode.ts';
import { print } from '../../../src/isa/print.ts';
import { alike } from '../alike.ts';

/** Where the instructions are said to lie. */
const AT = 0x1000n;

const formatter = new Formatter(FormatterSyntax.Gas);
formatter.uppercaseHex = false;
formatter.spaceAfterOperandSeparator = false;
formatter.gasSpaceAfterMemoryOperandComma = false;
formatter.ripRelativeAddresses = true;
formatter.smallHexNumbersInDecimal = false;
formatter.branchLeadingZeros = false;
formatter.displacementLeadingZeros = false;
formatter.showBranchSize = false;
formatter.showUselessPrefixes = true;
formatter.signedImmediateOperands = false;

/** iced writes no suffix where the offset of a far pointer has 64 bits; the others write none where it has 32. */
const farSuffix = (text: string): string =>
  text.replace(/\b(ljmp|lcall)(l?) \*/, (_, name, suffix) => `${name}${suffix === 'l' ? '' : 'q'} *`);

/** Length and text, without what other writers do not write; undefined for what is no instruction. */
interface Reading {
  readonly length: number;
  readonly text: string;
}

function ours(bytes: Uint8Array): Reading | undefined {
  const found = decode(bytes);
  if ('problem' in found) return undefined;
  return { length: found.length, text: alike(print(found, AT).replace(/ {2}# .*$/, '')) };
}

function theirs(bytes: Uint8Array): Reading | undefined {
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  decoder.ip = AT;
  const found = decoder.decode();
  try {
    return found.isInvalid
      ? undefined
      : { length: found.length, text: alike(farSuffix(formatter.format(found))) };
  } finally {
    found.free();
    decoder.free();
  }
}

/** What differs and may: `ours | theirs`, and why. */
const KNOWN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^\(.*\) \|/, 'refused by name, without operands'],
  [/^\(bad\) \| (xs\w+|extrq|insertq|(rd|wr)msrlist|v\w+)\b/, 'no row'],
  [/^nop .*\| (prefetchit[01]|cldemote|rdssp[dq]) /, 'a newer name of a hint'],
  [/^prefetch .*\| prefetchw /, 'a reserved hint'],
  [/^ptwrite.* \| \(bad\)/, 'refused by name, whatever the prefix'],
  [/^(rdrand|rdseed) .*\| (\(bad\)|senduipi |rdpid )/, 'refused by name, whatever the prefix'],
];

export type Verdict =
  | { readonly kind: 'same' | 'nothing' }
  | { readonly kind: 'known'; readonly why: string }
  | { readonly kind: 'different'; readonly line: string };

/** `nothing`: no instruction for either. */
export function judge(bytes: Uint8Array): Verdict {
  const [mine, other] = [ours(bytes), theirs(bytes)];
  if (mine === undefined && other === undefined) return { kind: 'nothing' };
  if (mine?.text === other?.text && mine?.length === other?.length) return { kind: 'same' };
  const text = (one: Reading | undefined): string => (one ? `${one.text} (${one.length} bytes)` : '(bad)');
  const line = `${text(mine)} | ${text(other)}`;
  const why = KNOWN.find(([pattern]) => pattern.test(line))?.[1];
  if (why !== undefined) return { kind: 'known', why };
  return { kind: 'different', line: `${Buffer.from(bytes).toString('hex')}: ours ${line} iced` };
}

/** How many instructions were judged, and what differs. */
export interface Judged {
  same: number;
  readonly known: Map<string, number>;
  readonly different: string[];
}

/** Judges each of the codes; what is no instruction for either is not counted. */
export function judgeAll(codes: Iterable<Uint8Array>): Judged {
  const judged: Judged = { same: 0, known: new Map(), different: [] };
  for (const code of codes) {
    const verdict = judge(code);
    if (verdict.kind === 'same') judged.same++;
    else if (verdict.kind === 'known')
      judged.known.set(verdict.why, (judged.known.get(verdict.why) ?? 0) + 1);
    else if (verdict.kind === 'different') judged.different.push(verdict.line);
  }
  return judged;
}
