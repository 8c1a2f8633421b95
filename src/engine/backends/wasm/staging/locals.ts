import type binaryen from 'binaryen';

/** Locals of one function; `recycle` lets the next handler use them again, which keeps V8's compilers alive. */
export class Locals {
  readonly types: binaryen.Type[] = [];
  private readonly pools = new Map<binaryen.Type, { readonly locals: number[]; used: number }>();
  private readonly parameters: number;

  /** @param parameters number of the first local that is free */
  constructor(parameters: number) {
    this.parameters = parameters;
  }
  take(type: binaryen.Type): number {
    const pool = this.pools.get(type) ?? { locals: [], used: 0 };
    this.pools.set(type, pool);
    if (pool.used === pool.locals.length) pool.locals.push(this.parameters + this.types.push(type) - 1);
    return pool.locals[pool.used++] as number;
  }
  recycle(): void {
    for (const pool of this.pools.values()) pool.used = 0;
  }
}
