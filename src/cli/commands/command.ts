/** What every command is. */
import { readFileSync, statSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly help: string;
  /** Exit status: 0 what was expected, 1 something else, 2 bad input. */
  readonly run: (args: readonly string[]) => Promise<0 | 1 | 2>;
}

/** Arguments by Node's own parser; a mistake is one sentence and undefined. */
export function args<O extends NonNullable<ParseArgsConfig['options']>>(
  given: readonly string[],
  options: O,
  positionals: number,
) {
  try {
    const parsed = parseArgs({ args: [...given], options, allowPositionals: true });
    if (parsed.positionals.length > positionals)
      return refuse(`unknown argument: ${parsed.positionals[positionals]}`);
    return parsed;
  } catch (error) {
    return refuse(
      error instanceof Error ? (error.message.split('. ')[0] ?? '').replace(/^U/, 'u') : String(error),
    );
  }
}

/** One sentence on standard error. */
export function refuse(sentence: string): undefined {
  console.error(sentence);
}

/** JSON with bigints as hexadecimal text. */
export const json = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `0x${one.toString(16)}` : one), 2);

/** Whether there is a file of this name that can be read as one: a folder is none. */
export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** What a file holds; `-` is standard input. */
export const readInput = (file: string): Buffer => readFileSync(file === '-' ? 0 : file);
