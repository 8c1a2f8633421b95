/**
 * What a browser fetches only when a run needs it: the assembler, and programs that the site was built with. Runs are
 * made at one go, so whoever finds something missing throws, and the run is made once more when it is here.
 */
import type { Assembled, ProgramText } from './program.ts';
import { type PackedProgram, unpackProgram } from './program-row.ts';

/** Thrown where something is needed that was not fetched yet. */
class NotHere extends Error {
  /** Rejects if it is not to be had. */
  readonly fetch: () => Promise<void>;

  constructor(what: string, fetch: () => Promise<void>) {
    super(`missing ${what}: not fetched`);
    this.fetch = fetch;
  }
}

/**
 * The result of `work`, which is called again after each thing that it lacked was fetched. It must not have done
 * anything by then that cannot be done twice. Rejects with what `work` throws otherwise, or if nothing can be fetched.
 */
export async function whenHere<T>(work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      await error.fetch();
    }
  }
}

let assembler: ((text: ProgramText) => Assembled) | undefined;

/** Fetches the assembler, once. Tests, the build and the command line do so before anything else. */
export async function loadAssembler(): Promise<void> {
  assembler ??= (await import('./assembled.ts')).assembleText;
}

/** Assembles a text. Throws for `whenHere` where the assembler is missing. */
export function assembleText(text: ProgramText): Assembled {
  if (!assembler) throw new NotHere('assembler', loadAssembler);
  return assembler(text);
}

/** Programs that were assembled when the site was built. */
export interface BuiltPrograms {
  /** By the key of its design and variant; undefined where it must be assembled. Throws for `whenHere`. */
  readonly find: (key: string) => Assembled | undefined;
}

/** Programs that are fetched one by one. One that cannot be read counts as not built: its text is still here. */
export function fetchedPrograms(
  files: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>,
): BuiltPrograms {
  const programs = new Map<string, Assembled | undefined>();
  return {
    find(key) {
      const file = files[key];
      if (!file || programs.has(key)) return programs.get(key);
      throw new NotHere('program', async () => {
        const fetched = await file().catch(() => undefined);
        programs.set(key, fetched && unpackProgram(fetched.default as PackedProgram));
      });
    },
  };
}
