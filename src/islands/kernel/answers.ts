/** What the worker of a kernel answers, apart from being a worker. */
import { suggestion } from '../../asm/suggest.ts';
import type { Decompressors } from '../../image/compressed/decompress.ts';
import { type Kernel, openKernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import { makeCapsule } from '../../image/vmlinux/capsule.ts';
import { featureNumbers, listing, listingLines, locate } from '../../image/vmlinux/listing.ts';
import { told } from '../../image/vmlinux/told.ts';
import { aboutWithRun } from '../../kernel/vmlinux/about-run.ts';
import type {
  CapsuleRequest,
  CompleteRequest,
  Message,
  OpenRequest,
  Processor,
  Request,
  RunRequest,
  ShowRequest,
  SweepRequest,
} from './protocol.ts';

import type { RunAnswers } from './run-answers.ts';

/** Entries in the order in which a reader asks for them. */
const ENTRIES = [
  'asm_exc_nmi',
  'asm_exc_debug',
  'asm_exc_machine_check',
  'asm_exc_page_fault',
  'asm_exc_double_fault',
  'entry_SYSCALL_64',
  'paranoid_entry',
  'paranoid_exit',
  'error_entry',
  'error_return',
  'swapgs_restore_regs_and_return_to_usermode',
  'asm_fred_entrypoint_user',
  'asm_fred_entrypoint_kernel',
  // Before 5.8.
  'nmi',
];
/** Processors by what entry code asks of them; features by the kernel's own names. */
const PROCESSORS: readonly Processor[] = [
  { name: 'none of the features', features: [] },
  { name: 'page-table isolation', features: ['pti', 'pcid', 'smap', 'fsgsbase'] },
  { name: 'no page-table isolation', features: ['pcid', 'smap', 'fsgsbase'] },
];
/** Names that a box offers at a time. */
const OFFERED = 12;

/**
 * Answers one request after the other; whoever asks waits for the answer before.
 *
 * @param pack gzip
 */
export function createAnswers(
  decompressors: Decompressors,
  pack: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>,
  tell: (message: Message) => void,
) {
  let kernel: Kernel | undefined;
  let names: readonly string[] = [];
  /** What runs it, which few readers ask for, and what was asked of that last. */
  let runs: RunAnswers | undefined;
  let latest = 0;

  async function open({ id, file }: OpenRequest): Promise<void> {
    kernel = undefined;
    runs = undefined;
    const opening = (what: string, done?: number, of?: number): void =>
      tell({ kind: 'opening', id, what, done, of });
    opening('reading the file');
    const found = await openKernel(new Uint8Array(await file.arrayBuffer()), decompressors, opening);
    if (isProblem(found)) return tell({ kind: 'refused', id, problem: fileProblemText(found) });
    kernel = found;
    names = [...new Set(found.symbols.all.map(({ name }) => name))];
    const facts = aboutWithRun(found);
    tell({
      kind: 'opened',
      id,
      name: file.name,
      buildId: facts.buildId,
      ...told(facts, found.wrapping),
      entries: [...(found.wrapping.capsule ?? []), ...ENTRIES]
        .filter((name, n, all) => found.symbols.find(name) && all.indexOf(name) === n)
        .slice(0, ENTRIES.length),
      processors: PROCESSORS.filter(({ features }) =>
        features.every((feature) => found.features.number(feature) !== undefined),
      ),
    });
  }

  const shown = (of: Kernel, { id, symbol, features }: ShowRequest): Message => {
    const refused = (problem: string): Message => ({ kind: 'refused', id, problem });
    const from = locate(of, symbol);
    if (typeof from !== 'bigint') return refused(from.problem);
    const numbers = features && featureNumbers(of, features);
    if (numbers && 'unknown' in numbers)
      return refused(`unknown feature: ${numbers.unknown}${suggestion(numbers.unknown, of.features.names)}`);
    const found = listing(of, symbol, from, { features, orc: true });
    if (isProblem(found)) return refused(fileProblemText(found));
    return { kind: 'shown', id, listing: found, text: `${listingLines(found).join('\n')}\n` };
  };

  /** Those that begin with the text come first. */
  function complete({ id, text }: CompleteRequest): void {
    const holding = text === '' ? [] : names.filter((name) => name.includes(text));
    const first = holding.filter((name) => name.startsWith(text));
    const rest = holding.filter((name) => !name.startsWith(text));
    const shortest = (some: readonly string[]): readonly string[] =>
      some.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
    tell({
      kind: 'completed',
      id,
      names: [...shortest(first), ...shortest(rest)].slice(0, OFFERED),
      count: holding.length,
    });
  }

  const capsule = async (of: Kernel, { id, symbols }: CapsuleRequest): Promise<Message> => {
    const made = makeCapsule(of, symbols);
    return isProblem(made)
      ? { kind: 'refused', id, problem: fileProblemText(made) }
      : { kind: 'capsuled', id, bytes: await pack(made) };
  };

  /** A sweep goes on beside what is asked next, as long as that is nothing to run. */
  const answerRun = async (of: Kernel, request: RunRequest | SweepRequest): Promise<void> => {
    const { createRunAnswers } = await import('./run-answers.ts');
    runs ??= createRunAnswers(of, tell);
    const here = (): boolean => request.id === latest && kernel === of;
    if (request.kind === 'run') runs.run(request);
    else void runs.sweep(request, here).catch((error: unknown) => failed(request.id, error));
  };

  const failed = (id: number, error: unknown): void =>
    tell({ kind: 'failed', id, reason: error instanceof Error ? error.message : String(error) });

  return async (request: Request): Promise<void> => {
    if (request.kind === 'run' || request.kind === 'sweep' || request.kind === 'stop') latest = request.id;
    try {
      if (request.kind === 'open') await open(request);
      else if (request.kind === 'stop') return;
      else if (request.kind === 'complete') complete(request);
      else if (!kernel) tell({ kind: 'refused', id: request.id, problem: 'missing file: none is open' });
      else if (request.kind === 'run' || request.kind === 'sweep') await answerRun(kernel, request);
      else tell(request.kind === 'show' ? shown(kernel, request) : await capsule(kernel, request));
    } catch (error) {
      failed(request.id, error);
    }
  };
}
