import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Kernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import { makeCapsule } from '../../image/vmlinux/capsule.ts';
import { type Answer, type Asked, addressOf } from './answer.ts';

/** `lab kernel FILE capsule OUT SYMBOL...`: writes the file. */
export function capsule(kernel: Kernel, { argument: out = '', more: names = [] }: Asked): Answer {
  if (names.length === 0) return { problem: 'missing symbol: lab kernel FILE capsule OUT SYMBOL...' };
  for (const name of names) {
    const found = addressOf(kernel, name);
    if (typeof found !== 'bigint') return found;
  }
  const made = makeCapsule(kernel, names);
  if (isProblem(made)) return { problem: fileProblemText(made) };
  const packed = gzipSync(made, { level: 9 });
  try {
    writeFileSync(out, packed, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      problem: code === 'EEXIST' ? `invalid file: ${out} is there already` : `invalid file: ${out} (${code})`,
    };
  }
  return {
    value: { file: out, symbols: names, bytes: packed.length },
    lines: [`${out}: ${names.join(', ')}; ${packed.length} bytes`],
  };
}
