/** What a subcommand of `lab kernel` answers. */
import { suggestion } from '../../asm/suggest.ts';
import type { Kernel } from '../../image/kernel-file.ts';

/** For people, and for programs; or a sentence why not, and whether that is only that nothing was found. */
export type Answer =
  | {
      readonly lines: readonly string[];
      readonly value: unknown;
      /** Something else than what was hoped for: exit status 1. */
      readonly failed?: boolean;
    }
  | { readonly problem: string; readonly notFound?: boolean };

export interface Asked {
  readonly argument: string | undefined;
  readonly features: string | undefined;
  /** Options of `run` and `sweep`. */
  readonly options?: RunOptions;
  /** Is told how far it is; an empty text when it is done. */
  readonly progress?: (text: string) => void;
}

export interface RunOptions {
  readonly path?: string | undefined;
  readonly event?: string | undefined;
  readonly events?: string | undefined;
  readonly at?: string | undefined;
  readonly user?: boolean | undefined;
  readonly cut?: string | undefined;
}

const SHOWN = 5;

/** The address of a symbol, or of text that is one in hexadecimal. */
export function addressOf(
  { symbols }: Kernel,
  name: string,
): bigint | { readonly problem: string; readonly notFound: true } {
  const found = symbols.address(name);
  if (found !== undefined) return found;
  if (/^(0x)?[\da-f]{8,16}$/i.test(name)) return BigInt(`0x${name.replace(/^0x/i, '')}`);
  const alike = symbols.all.filter((one) => one.name.includes(name)).map((one) => one.name);
  const more = alike.length > SHOWN ? ', ...' : '';
  return {
    problem: `unknown symbol: ${name}${alike.length > 0 ? ` (there is ${alike.slice(0, SHOWN).join(', ')}${more})` : ''}`,
    notFound: true,
  };
}

/** The features that `--features` names; a sentence where one is not known. */
export function featuresOf(kernel: Kernel, list: string): ReadonlySet<number> | { readonly problem: string } {
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
