import { suggestion } from '../../asm/suggest.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import type { AlternativeSite } from '../../image/vmlinux/alternatives.ts';
import { listRoutine, routineEnd } from '../../image/vmlinux/routine.ts';
import { type Answer, type Asked, addressOf } from './answer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The features that `--features` names; a sentence where one is not known. */
function featuresOf(kernel: Kernel, list: string): ReadonlySet<number> | { readonly problem: string } {
  const numbers = new Set<number>();
  for (const name of list.split(',').map((one) => one.trim())) {
    if (name === '' || name === 'none') continue;
    const number = kernel.features.number(name);
    if (number === undefined)
      return { problem: `unknown feature: ${name}${suggestion(name, kernel.features.names)}` };
    numbers.add(number);
  }
  return numbers;
}

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
