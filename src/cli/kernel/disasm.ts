import type { Kernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import type { AlternativeSite } from '../../image/vmlinux/alternatives.ts';
import { listRoutine, routineEnd } from '../../image/vmlinux/routine.ts';
import { type Answer, type Asked, addressOf, featuresOf } from './answer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** `if smap: 0f01ca`, what would be written here. */
const alternativeText = (kernel: Kernel, { feature, not, bytes, directCall }: AlternativeSite): string =>
  `${not ? 'if not' : 'if'} ${kernel.features.name(feature)}: ${directCall ? 'a direct call' : hex(bytes) || 'nops'}`;

/** `lab kernel FILE disasm SYMBOL`. */
export function disasm(kernel: Kernel, { argument = '', features }: Asked): Answer {
  const from = addressOf(kernel, argument);
  if (typeof from !== 'bigint') return from;
  const chosen = features === undefined ? undefined : featuresOf(kernel, features);
  if (chosen && 'problem' in chosen) return chosen;
  const listed = listRoutine(kernel, from, routineEnd(kernel, from), chosen);
  if (isProblem(listed)) return { problem: fileProblemText(listed) };
  const { alternatives } = kernel;
  const sites = new Map<bigint, string[]>();
  if (!chosen && !isProblem(alternatives))
    for (const site of alternatives.sites)
      sites.set(site.address, [...(sites.get(site.address) ?? []), alternativeText(kernel, site)]);
  const rows = listed.map(({ address, bytes, text, labels }) => ({
    address,
    bytes: hex(bytes),
    text,
    labels,
    alternatives: sites.get(address) ?? [],
  }));
  return {
    value: { symbol: argument, text: chosen ? 'patched' : 'linked', features: features ?? null, rows },
    lines: [
      `${argument}: ${chosen ? `text patched for a processor with: ${features}` : 'text as linked'}`,
      ...rows.flatMap(({ address, bytes, text, labels, alternatives: said }) => [
        ...labels.map((label) => `${label}:`),
        `  ${address.toString(16)} +0x${(address - from).toString(16).padEnd(4)} ${bytes.padEnd(22)} ${text}${said.map((one) => `  ; ${one}`).join('')}`,
      ]),
    ],
  };
}
