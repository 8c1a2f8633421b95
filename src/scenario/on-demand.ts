/**
 * What a browser fetches only when a run needs it: the assembler, programs that the site was built with, and the text of
 * pages. Runs are made at one go, so whoever finds something missing throws, and the run is made once more when it is
 * here.
 */
import type { Source } from '../asm/source.ts';
import type { Shelf } from './library.ts';
import type { Assembled, ProgramText } from './program.ts';
import { type PackedProgram, unpackProgram } from './program-row.ts';
import type { Records } from './records.ts';

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

type BareCell = Pick<Source, 'name' | 'line'>;

/** A page as it is known before its text is here. */
export interface BareShelf extends Omit<Shelf, 'asm' | 'scenarios'> {
  readonly asm: readonly BareCell[];
  readonly scenarios: readonly BareCell[];
}

/** The lines of a page's cells, in their order, and what was recorded of its scenarios. */
export interface ShelfText {
  readonly asm: readonly (readonly string[])[];
  readonly scenarios: readonly (readonly string[])[];
  readonly records: Records;
}

/** A module of the build, whose one value is data. */
type File = () => Promise<{ readonly default: unknown }>;
type Files = Readonly<Record<string, File>>;

/** A shelf in its two parts: `recorded` is what was recorded of all scenarios. */
export function parted(
  shelf: Shelf,
  recorded: Records,
): { readonly bare: BareShelf; readonly text: ShelfText } {
  const { asm, scenarios } = shelf;
  const bare = (cells: readonly Source[]): readonly BareCell[] =>
    cells.map(({ name, line }) => ({ name, line }));
  const lines = (cells: readonly Source[]) => cells.map((cell) => cell.lines);
  const records = Object.fromEntries(
    scenarios.flatMap(({ name }) => (recorded[name] ? [[name, recorded[name]] as const] : [])),
  );
  return {
    bare: { ...shelf, asm: bare(asm), scenarios: bare(scenarios) },
    text: { asm: lines(asm), scenarios: lines(scenarios), records },
  };
}

/**
 * Shelves whose text is fetched page by page. Whoever reads the lines of a cell, or the record of a scenario, of a page
 * that is not here yet throws for `whenHere`.
 *
 * @param files by the slug of the page
 * @param others records of scenarios that are on no page any more
 */
export function fetchedText(
  bare: readonly BareShelf[],
  files: Files,
  others: Records = {},
): {
  readonly shelves: readonly Shelf[];
  readonly records: Records;
  /** A file, and the text of some pages at the same time: who asks for the one needs the other next. */
  readonly beside: (slugs: readonly string[], file: File) => File;
} {
  const texts = new Map<string, ShelfText>();
  async function load(slug: string): Promise<void> {
    if (texts.has(slug)) return;
    try {
      const fetched = await files[slug]?.();
      texts.set(slug, fetched?.default as ShelfText);
    } catch (error) {
      throw new Error(`missing text: ${slug} (${error instanceof Error ? error.message : error})`);
    }
  }
  const textOf = (slug: string): ShelfText => {
    const found = texts.get(slug);
    if (!found) throw new NotHere(`text of ${slug}`, () => load(slug));
    return found;
  };
  const cells = ({ slug, page, ...bare }: BareShelf, kind: 'asm' | 'scenarios'): readonly Source[] =>
    bare[kind].map(({ name, line }, n) => ({
      ...{ page, name, line },
      get lines() {
        return textOf(slug)[kind][n] ?? [];
      },
    }));
  const recordOf = (slug: string, name: string) =>
    [name, { enumerable: true, get: () => textOf(slug).records[name] }] as const;
  return {
    shelves: bare.map((one) => ({ ...one, asm: cells(one, 'asm'), scenarios: cells(one, 'scenarios') })),
    records: Object.defineProperties(
      { ...others },
      Object.fromEntries(
        bare.flatMap(({ slug, scenarios }) => scenarios.map(({ name }) => recordOf(slug, name))),
      ),
    ),
    beside: (slugs, file) => async () => {
      // Text that does not come is missed by whoever reads it.
      const [found] = await Promise.all([file(), ...slugs.map((slug) => load(slug).catch(() => {}))]);
      return found;
    },
  };
}

/** Programs that are fetched one by one. One that cannot be read counts as not built: there is its text. */
export function fetchedPrograms(files: Files): BuiltPrograms {
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
