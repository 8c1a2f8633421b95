/** What a subcommand of `lab kernel` answers. */
import { suggestion } from '../../asm/suggest.ts';
import type { Kernel } from '../../image/kernel-file.ts';
import { featureNames, featureNumbers, locate } from '../../image/vmlinux/listing.ts';

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
  /** Arguments behind that. */
  readonly more?: readonly string[];
  readonly features: string | undefined;
  /** ORC rows beside the code. */
  readonly orc?: boolean;
  /** Opens another file, or says why not. */
  readonly open?: (file: string) => Promise<Kernel | { readonly problem: string }>;
  /** Options of `run` and `sweep`, and of a `diff` that sweeps. */
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
  /** Of `diff`: whether both are swept. */
  readonly sweep?: boolean | undefined;
}

/** The address of a symbol, or of text that is one in hexadecimal. */
export function addressOf(
  kernel: Kernel,
  name: string,
): bigint | { readonly problem: string; readonly notFound: true } {
  const found = locate(kernel, name);
  return typeof found === 'bigint' ? found : { ...found, notFound: true };
}

/** The features that `--features` names; a sentence where one is not known. */
export function featuresOf(kernel: Kernel, list: string): ReadonlySet<number> | { readonly problem: string } {
  const found = featureNumbers(kernel, featureNames(list));
  return 'unknown' in found
    ? { problem: `unknown feature: ${found.unknown}${suggestion(found.unknown, kernel.features.names)}` }
    : found;
}
