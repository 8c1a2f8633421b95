/** What declarations name, looked up in the code and among the places of the modelled kernel. */
import type { Problem } from '../asm/source.ts';
import { addressOf, type Image } from '../image/image.ts';
import type { Declared, DeclaredWord } from './declaration.ts';
import { PER_CPU_OFFSET, PLACE, SYMBOLS } from './memory-map.ts';
import { problemOf, type WordAt, Wrong } from './statement.ts';

/** What is not found is a problem, unless it is only usual. */
export class Lookup {
  readonly problems: Problem[] = [];
  readonly #all: readonly Declared[];
  readonly #image: Image | undefined;

  constructor(all: readonly Declared[], image: Image | undefined) {
    this.#all = all;
    this.#image = image;
  }

  /** What all declarations of a word give, in order; one that is wrong gives nothing. */
  each<T>(word: DeclaredWord, read: (one: Declared) => readonly T[]): readonly T[] {
    return this.#all.flatMap((one) => {
      if (one.word !== word) return [];
      try {
        return read(one);
      } catch (wrong) {
        if (!(wrong instanceof Wrong)) throw wrong;
        if (!one.usual) this.problems.push(problemOf(wrong));
        return [];
      }
    });
  }

  /** The address of a label, of a word of the per-CPU area, or of a place with a name; or a number. */
  place(word: WordAt): bigint | undefined {
    const { text } = word;
    if (/^(0x[\da-f]+|\d+)$/i.test(text)) return BigInt(text);
    if (Object.hasOwn(PER_CPU_OFFSET, text))
      return PLACE.perCpu + PER_CPU_OFFSET[text as keyof typeof PER_CPU_OFFSET];
    const found = this.#image && addressOf(this.#image, text);
    if (found !== undefined || !this.#image) return found;
    if (Object.hasOwn(SYMBOLS, text)) return SYMBOLS[text];
    throw new Wrong(`unknown label: ${text}`, word.place);
  }
}

/** The first value of a key. */
export const one = ({ keys }: Declared, key: string): WordAt | undefined => keys.get(key)?.[0];

/** What the code may lack: whether that matters is known when a run begins. */
export function optional<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (wrong) {
    if (wrong instanceof Wrong) return undefined;
    throw wrong;
  }
}

/** For messages: what there is instead. */
export const there = (names: readonly string[]): string =>
  names.length > 0 ? ` (there is ${names.join(', ')})` : '';
