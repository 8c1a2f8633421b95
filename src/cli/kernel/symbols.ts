import type { Kernel } from '../../image/kernel-file.ts';
import { type Answer, type Asked, addressOf } from './answer.ts';

/** `lab kernel FILE symbols [NAME]`: as `nm -n` prints them. */
export function symbols(kernel: Kernel, { argument }: Asked): Answer {
  const found = kernel.symbols.all.filter(({ name }) => argument === undefined || name.includes(argument));
  if (found.length === 0) {
    const nothing = addressOf(kernel, argument ?? '');
    if (typeof nothing !== 'bigint') return nothing;
    return { problem: `unknown symbol: ${argument}`, notFound: true };
  }
  return {
    value: found,
    lines: found.map(
      ({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}`,
    ),
  };
}
