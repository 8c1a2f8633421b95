import type { Kernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import { featureNames, listing, listingLines } from '../../image/vmlinux/listing.ts';
import { type Answer, type Asked, addressOf, featuresOf } from './answer.ts';

/** `lab kernel FILE disasm SYMBOL`. */
export function disasm(kernel: Kernel, { argument = '', features, orc = false }: Asked): Answer {
  const from = addressOf(kernel, argument);
  if (typeof from !== 'bigint') return from;
  const chosen = features === undefined ? undefined : featuresOf(kernel, features);
  if (chosen && 'problem' in chosen) return chosen;
  const names = features === undefined ? undefined : featureNames(features);
  const found = listing(kernel, argument, from, { features: names, orc });
  if (isProblem(found)) return { problem: fileProblemText(found) };
  if (found.noOrc !== undefined) return { problem: found.noOrc };
  const { rows } = found;
  return {
    value: { symbol: argument, text: chosen ? 'patched' : 'linked', features: features ?? null, rows },
    lines: listingLines(found),
  };
}
