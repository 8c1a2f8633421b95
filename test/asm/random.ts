/** A seeded generator, so that a counterexample is a number. */
export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(list: readonly T[]): T;
}

/** The generator of Marsaglia's xorshift32. */
export function random(seed: number): Random {
  let state = seed * 2654435761 + 1013904223;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const int = (below: number): number => next() % below;
  return { int, pick: <T>(list: readonly T[]): T => list[int(list.length)] as T };
}
