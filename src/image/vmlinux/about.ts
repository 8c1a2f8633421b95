/** What can be said of a kernel without running it. */
import { decode } from '../../isa/decode.ts';
import { REFUSED } from '../../isa/table/refused.ts';
import type { Kernel } from '../kernel-file.ts';
import { ifSound, isProblem } from '../reading.ts';
import { type IstGate, readIstGates } from './idt.ts';
import { readBanner, readBuildId } from './notes.ts';
import { readParavirtSites, readSites, readStaticCalls } from './sites.ts';

/** Something that a processor or a build makes of the text, and how often. */
export interface Mitigation {
  readonly name: string;
  /** Where it lies: alternatives in the entry text, a thunk, a table. */
  readonly how: string;
}

/** What a run of this kernel cannot show. */
export interface Missing {
  readonly what: string;
  readonly why: string;
}

export interface About {
  readonly version: string | undefined;
  readonly banner: string | undefined;
  readonly buildId: string | undefined;
  readonly unwinder: 'orc' | 'frame pointers' | 'guess';
  /** Of ORC: which of the five formats, and how many rows. */
  readonly orc: { readonly format: string; readonly rows: number } | undefined;
  readonly symbols: number;
  /** Undefined where the table of gates was not found. */
  readonly ist: readonly IstGate[] | undefined;
  /** Places that are written over at boot, by kind. */
  readonly sites: Readonly<
    Record<'alternatives' | 'returns' | 'retpolines' | 'staticCalls' | 'paravirt', number>
  >;
  readonly mitigations: readonly Mitigation[];
  readonly missing: readonly Missing[];
}

/** Functions whose first instructions tell whether frames are linked: they are in every kernel and call others. */
export const SAMPLES = [
  'exc_nmi',
  'do_nmi',
  'do_page_fault',
  'schedule',
  'do_exit',
  'vprintk',
  'start_kernel',
];
/** `push %rbp; mov %rsp,%rbp`. */
const PROLOGUE = [0x55, 0x48, 0x89, 0xe5];
export const PROLOGUE_WITHIN = 16;

/** Thunks and labels by which a mitigation shows that it is built in. */
const THUNKS: readonly (readonly [name: string, symbol: string])[] = [
  ['retpolines', '__x86_indirect_thunk_rax'],
  ['return thunks', '__x86_return_thunk'],
  ['untrained returns', 'retbleed_untrain_ret'],
  ['untrained returns', 'zen_untrain_ret'],
  ['SRSO', 'srso_untrain_ret'],
  ['IBPB on entry', 'entry_ibpb'],
  ['call depth', '__x86_return_skl'],
  ['branch history', 'clear_bhb_loop'],
  ['ITS', 'its_return_thunk'],
];
/** Alternatives of the entry text that are mitigations. */
const ENTRY_FEATURES = new Set([
  'pti',
  'pcid',
  'smap',
  'fsgsbase',
  'kernel_ibrs',
  'unret',
  'srso',
  'srso_alias',
  'entry_ibpb',
  'call_depth',
  'fence_swapgs_user',
  'fence_swapgs_kernel',
  'clear_cpu_buf',
  'clear_bhb_loop',
]);
/** Entries that some builds leave out. */
const ENTRIES: readonly (readonly [what: string, symbol: string, why: string])[] = [
  ['NMI', 'asm_exc_nmi', 'no such entry: older than 5.8, or not x86-64'],
  ['#MC', 'asm_exc_machine_check', 'built without X86_MCE'],
  ['#DF', 'asm_exc_double_fault', 'no such entry'],
  ['FRED', 'asm_fred_entrypoint_kernel', 'built without X86_FRED'],
  ['return to 16-bit stacks', 'native_irq_return_ldt', 'built without X86_16BIT'],
];

/** First and last symbol of the entry text. */
const ENTRY_TEXT = ['__entry_text_start', '__entry_text_end'] as const;

/** Symbols that something is told by: by their being there, or by where they are. */
export const TELLING: readonly string[] = [
  ...ENTRY_TEXT,
  ...SAMPLES,
  ...[...THUNKS, ...ENTRIES].map(([, symbol]) => symbol),
];

/** All of it. Nothing is run; tables that are damaged count as not there. */
export function about(kernel: Kernel): About {
  const { elf, memory, symbols, orc, alternatives } = kernel;
  const banner = readBanner(memory, symbols);
  return {
    version: /^Linux version (\S+)/.exec(banner ?? '')?.[1],
    banner,
    buildId: ifSound(() => readBuildId(elf)),
    unwinder: orc ? 'orc' : linksFrames(kernel) ? 'frame pointers' : 'guess',
    orc: orc && { format: orc.format, rows: orc.count },
    symbols: symbols.all.length,
    ist: readIstGates(kernel),
    sites: {
      alternatives: isProblem(alternatives) ? 0 : alternatives.sites.length,
      returns: readSites(elf, '.return_sites').length,
      retpolines: readSites(elf, '.retpoline_sites').length,
      staticCalls: ifSound(() => readStaticCalls(memory, symbols))?.length ?? 0,
      paravirt: readParavirtSites(elf).length,
    },
    mitigations: mitigations(kernel),
    missing: missing(kernel),
  };
}

/** Whether most of the samples begin by linking their frame; a call of `__fentry__` and ENDBR may stand before. */
function linksFrames({ memory, symbols }: Kernel): boolean {
  const begins = SAMPLES.flatMap((name) => {
    const address = symbols.address(name);
    const bytes = address === undefined ? undefined : memory.upTo(address, PROLOGUE_WITHIN);
    return bytes ? [bytes] : [];
  });
  const linked = begins.filter((bytes) =>
    bytes.some((_, at) => PROLOGUE.every((byte, n) => bytes[at + n] === byte)),
  );
  return linked.length * 2 > begins.length;
}

/** First and last byte of the entry text. */
const entryText = ({ symbols }: Kernel): readonly [bigint, bigint] | undefined => {
  const [from, to] = ENTRY_TEXT.map((name) => symbols.address(name));
  return from !== undefined && to !== undefined && to > from ? [from, to] : undefined;
};

function mitigations(kernel: Kernel): readonly Mitigation[] {
  const { alternatives, symbols, features } = kernel;
  const found: Mitigation[] = [];
  const entry = entryText(kernel);
  if (entry && !isProblem(alternatives)) {
    const counts = new Map<string, number>();
    for (const { address, feature } of alternatives.sites) {
      const name = features.name(feature);
      if (address >= entry[0] && address < entry[1] && ENTRY_FEATURES.has(name))
        counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const [name, count] of counts)
      found.push({ name, how: `${count} alternative${count === 1 ? '' : 's'} in the entry text` });
  }
  for (const [name, symbol] of THUNKS) if (symbols.find(symbol)) found.push({ name, how: symbol });
  if (kernel.elf.sections.some(({ name }) => name === '.ibt_endbr_seal'))
    found.push({ name: 'indirect branch tracking', how: '.ibt_endbr_seal' });
  return found;
}

function missing(kernel: Kernel): readonly Missing[] {
  const found: Missing[] = [];
  for (const [what, symbol, why] of ENTRIES)
    if (!kernel.symbols.find(symbol)) found.push({ what, why: `${why} (no ${symbol})` });
  const tables = [
    ['traces by ORC', kernel.orc ? undefined : 'no .orc_unwind'],
    ['patched text', isProblem(kernel.alternatives) ? kernel.alternatives.problem : undefined],
    ['offsets of structures', isProblem(kernel.btf) ? kernel.btf.problem : undefined],
  ] as const;
  for (const [what, why] of tables) if (why !== undefined) found.push({ what, why });
  return [...found, ...refusedInstructions(kernel)];
}

/** Instructions of the entry text, as linked, that the engine does not have. */
function refusedInstructions(kernel: Kernel): readonly Missing[] {
  const entry = entryText(kernel);
  const text = entry && kernel.text(entry[0], Number(entry[1] - entry[0]));
  if (!entry || !text || isProblem(text)) return [];
  const counts = new Map<string, number>();
  for (let at = 0; at < text.length; ) {
    const one = decode(text, at);
    const name =
      'problem' in one ? `an instruction at ${kernel.symbols.name(entry[0] + BigInt(at))}` : one.row.mnemonic;
    if ('problem' in one || REFUSED.includes(one.row)) counts.set(name, (counts.get(name) ?? 0) + 1);
    at += 'problem' in one ? 1 : one.length;
  }
  return [...counts].map(([what, count]) => ({
    what,
    why: `not modelled; ${count === 1 ? 'once' : `${count} times`} in the entry text`,
  }));
}
