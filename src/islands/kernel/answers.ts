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
  Request,
  ShowRequest,
} from './protocol.ts';

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

  async function open({ id, file }: OpenRequest): Promise<void> {
    kernel = undefined;
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

  return async (request: Request): Promise<void> => {
    try {
      if (request.kind === 'open') await open(request);
      else if (request.kind === 'complete') complete(request);
      else if (!kernel) tell({ kind: 'refused', id: request.id, problem: 'missing file: none is open' });
      else tell(request.kind === 'show' ? shown(kernel, request) : await capsule(kernel, request));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tell({ kind: 'failed', id: request.id, reason });
    }
  };
}
