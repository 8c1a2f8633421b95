/**
 * Text as we patch it and text in the memory of the same kernel, booted in QEMU: byte for byte. First all of it, with the variables of
 * the booted system; then as our runs have it, with nothing but a choice of features, where they execute it.
 */
import type { Kernel } from '../../src/image/kernel-file.ts';
import { isProblem } from '../../src/image/reading.ts';
import { sectionOf } from '../../src/image/vmlinux/elf.ts';
import { type AfterBoot, textAfterBoot, type Variables } from '../../src/image/vmlinux/patch/after-boot.ts';
import type { PatchKind } from '../../src/image/vmlinux/patch/text-copy.ts';
import { KERNEL_PATHS, textBetween, USUAL_CUTS } from '../../src/scenario/vmlinux/kernel-paths.ts';
import { openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { bootKernel } from './qemu/boot.ts';

/** Counts what holds, and says what does not. */
type Check = (what: string, holds: boolean, instead?: unknown) => void;

/** A processor of QEMU's and parameters of the kernel: between them every way to return and to call through a register. */
export interface Machine {
  readonly cpu: string;
  readonly append: string;
}

/** Page-table isolation and ITS; untrained returns; and what only parameters bring about. */
export const MACHINES: readonly Machine[] = [
  { cpu: 'Skylake-Client', append: '' },
  { cpu: 'EPYC', append: '' },
  { cpu: 'EPYC-Milan', append: 'spectre_v2=retpoline,lfence' },
  { cpu: 'Skylake-Client', append: 'retbleed=stuff' },
];

const IMAGE_BASE = 0xffff_ffff_8000_0000n;
/** Where control is when memory is read: the first system call of the first program. */
const READY = 'do_syscall_64';
/** Transitions of a run at most. */
const BOUND = 20_000;
/** Differences that are printed. */
const SHOWN = 10;

/** Static calls as `preempt=voluntary` has them, which these kernels are configured for: by name, and nowhere. */
const VOLUNTARY: Readonly<Record<string, string | undefined>> = {
  cond_resched: '__cond_resched',
  might_resched: '__cond_resched',
  preempt_schedule: undefined,
  preempt_schedule_notrace: undefined,
  irqentry_exit_cond_resched: undefined,
};

/** Text that is compared where its routines are executed or not: entries, and what they run through. */
const WHOLE = [
  ['__entry_text_start', '__entry_text_end'],
  ['__indirect_thunk_start', '__indirect_thunk_end'],
] as const;

export async function judgePatchedText(
  name: string,
  kernel: Kernel,
  vmlinuz: Uint8Array,
  { cpu, append }: Machine,
  check: Check,
): Promise<void> {
  const what = `${name} on ${cpu}${append === '' ? '' : ` with ${append}`}`;
  const variables = await memoryOf(kernel, vmlinuz, { cpu, append });
  const features = variables && featuresIn(kernel, variables);
  if (!variables || !features) {
    check(`${what}: its memory is read`, false);
    return;
  }
  const all = compareText(kernel, variables, { features, variables });
  check(`${what}: patched text is that of QEMU`, all.different.length === 0, told(kernel, all.different));
  const kinds = [...all.kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
  console.log(`  patched text, ${what}: ${all.bytes} bytes equal; ${kinds}`);

  const one = kernel.features.number('up');
  const chosen = new Set(one === undefined ? features : [...features, one]);
  const calls = voluntary(kernel);
  const ours = compareText(kernel, variables, { features: chosen, calls });
  const executed = executedBy(kernel, chosen);
  check(`${what}: routines are executed`, executed.size > 40, executed.size);
  const within = ours.different.filter(
    ({ address }) =>
      executed.has(routineOf(kernel, address)) ||
      WHOLE.some(([from, to]) => {
        const { begin, end } = textBetween(kernel.symbols, from, to);
        return address >= begin && address < end;
      }),
  );
  check(`${what}: the text of our runs is that of QEMU`, within.length === 0, told(kernel, within));
  if (within.length > 0) return;
  const others = new Map<string, number>();
  for (const { address } of ours.different) {
    const kind = all.kindAt(address) ?? 'nothing';
    others.set(kind, (others.get(kind) ?? 0) + 1);
  }
  console.log(
    `  by features alone, ${what}: equal in the entry text and in ${executed.size} executed routines; elsewhere not as booted: ${[...others].map(([kind, count]) => `${kind} ${count}`).join(', ') || 'nothing'}`,
  );
}

/** The image as it lies in memory after a boot. */
async function memoryOf(
  kernel: Kernel,
  vmlinuz: Uint8Array,
  machine: Machine,
): Promise<Variables | undefined> {
  const { symbols } = kernel;
  const [ready, from, end] = [READY, '_text', '_end'].map((one) => symbols.address(one));
  if (ready === undefined || from === undefined || end === undefined) return undefined;
  const guest = await bootKernel({ vmlinuz, ready, ...machine });
  try {
    const memory = await guest.readPhysical(Number(from - IMAGE_BASE), Number(end - from));
    return {
      upTo(address, count) {
        const at = Number(address - from);
        return at >= 0 && at + count <= memory.length ? memory.subarray(at, at + count) : undefined;
      },
    };
  } finally {
    await guest.close();
  }
}

/** Features and bugs, as the kernel has found or decided them. */
export function featuresIn(kernel: Kernel, memory: Variables): ReadonlySet<number> | undefined {
  const member = kernel.memberOf('cpuinfo_x86', 'x86_capability');
  const data = kernel.symbols.address('boot_cpu_data');
  if (!member || isProblem(member) || data === undefined || member.size === undefined) return undefined;
  const words = memory.upTo(data + BigInt(member.offset), member.size);
  if (!words) return undefined;
  const found = new Set<number>();
  for (let n = 0; n < words.length * 8; n++) if (((words[n >> 3] ?? 0) >> (n & 7)) & 1) found.add(n);
  return found;
}

interface Different {
  readonly address: bigint;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

/** Every place of `.text` that is not the same, and what was patched, by kind. */
function compareText(
  kernel: Kernel,
  memory: Variables,
  boot: AfterBoot,
): {
  readonly different: readonly Different[];
  readonly kinds: ReadonlyMap<PatchKind, number>;
  /** As what a place was patched. */
  readonly kindAt: (address: bigint) => PatchKind | undefined;
  readonly bytes: number;
} {
  const places = new Map<bigint, { readonly kind: PatchKind; readonly length: number }>();
  const kinds = new Map<PatchKind, number>();
  const text = textAfterBoot(kernel, {
    ...boot,
    onPatch: (kind, address, length) => {
      places.set(address, { kind, length });
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    },
  });
  const section = sectionOf(kernel.elf, '.text');
  const end = kernel.symbols.address('_etext');
  const begin = section?.address ?? 0n;
  const bytes = Math.min(section?.size ?? 0, Number((end ?? begin) - begin));
  const ours = text.at(begin, bytes) ?? new Uint8Array(0);
  const theirs = memory.upTo(begin, bytes) ?? new Uint8Array(0);
  const different: Different[] = [];
  for (let at = 0; at < bytes; at++) {
    if (ours[at] === theirs[at]) continue;
    const address = begin + BigInt(at);
    different.push({ address, ours: ours.slice(at, at + 8), theirs: theirs.slice(at, at + 8) });
    while (at + 1 < bytes && ours[at + 1] !== theirs[at + 1]) at++;
  }
  return { different, kinds, kindAt, bytes: ours.length };

  function kindAt(address: bigint): PatchKind | undefined {
    for (let back = 0; back < LONGEST; back++) {
      const found = places.get(address - BigInt(back));
      if (found && found.length > back) return found.kind;
    }
    return undefined;
  }
}

/** Bytes of the longest place that is patched at once. */
const LONGEST = 255;

/** Keys of static calls and where they lead. */
function voluntary({ symbols }: Kernel): ReadonlyMap<bigint, bigint> {
  return new Map(
    Object.entries(VOLUNTARY).flatMap(([name, target]) => {
      const key = symbols.address(`__SCK__${name}`);
      const to = target === undefined ? 0n : symbols.address(target);
      return key === undefined || to === undefined ? [] : [[key, to] as const];
    }),
  );
}

/** Where the routine of an address begins. */
const routineOf = ({ symbols }: Kernel, address: bigint): bigint => symbols.at(address)?.address ?? 0n;

/** Routines that any of the ways through the entry code executes, patched for these features. */
function executedBy(kernel: Kernel, features: ReadonlySet<number>): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  const bench = openBench(kernel, { cut: USUAL_CUTS, features });
  if ('problem' in bench) return found;
  const { machine } = bench.up;
  for (const path of KERNEL_PATHS)
    for (const user of path === 'syscall' ? [true] : [false, true]) {
      const course = bench.begin({ path, user });
      if ('problem' in course) continue;
      do found.add(routineOf(kernel, machine.get('rip')));
      while (!(course.over(BOUND) ?? course.advance()));
    }
  return found;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const told = ({ symbols }: Kernel, different: readonly Different[]): string =>
  different
    .slice(0, SHOWN)
    .map(({ address, ours, theirs }) => `${symbols.name(address)}: ours ${hex(ours)}, QEMU ${hex(theirs)}`)
    .concat(different.length > SHOWN ? [`and ${different.length - SHOWN} more`] : [])
    .join('; ');
