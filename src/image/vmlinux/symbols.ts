/** The symbols of a kernel, by name and by address. */

export interface KernelSymbol {
  readonly name: string;
  /** One letter, as `nm` has it: `T` is global text, `t` local, `D` data, `A` absolute. */
  readonly type: string;
  /** Of a per-CPU variable in a kernel where these begin at zero: its offset. */
  readonly address: bigint;
  /** Bytes up to where it has nothing more to say; without it, up to the next symbol. */
  readonly size?: number;
}

export class SymbolTable {
  /** By address. */
  readonly all: readonly KernelSymbol[];
  #byName: ReadonlyMap<string, KernelSymbol> | undefined;

  constructor(symbols: readonly KernelSymbol[]) {
    const sorted = symbols.every(
      ({ address }, n) => n === 0 || (symbols[n - 1] as KernelSymbol).address <= address,
    );
    this.all = sorted
      ? symbols
      : symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  /** The first symbol of this name: static functions may share one. */
  find(name: string): KernelSymbol | undefined {
    this.#byName ??= byName(this.all);
    return this.#byName.get(name);
  }

  address(name: string): bigint | undefined {
    return this.find(name)?.address;
  }

  /** Number of the first symbol behind `address`. */
  #behind(address: bigint): number {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.all[middle] as KernelSymbol).address <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last symbol at or before an address; of several at one place the first, as the kernel chooses. */
  at(address: bigint): KernelSymbol | undefined {
    let n = this.#behind(address) - 1;
    const found = this.all[n];
    if (found?.size !== undefined && address >= found.address + BigInt(found.size)) return undefined;
    while (n > 0 && this.all[n - 1]?.address === found?.address) n--;
    return this.all[n];
  }

  /** All at exactly this address. */
  allAt(address: bigint): readonly KernelSymbol[] {
    const end = this.#behind(address);
    let n = end;
    while (n > 0 && this.all[n - 1]?.address === address) n--;
    return this.all.slice(n, end);
  }

  /** All names at exactly this address. */
  named(address: bigint): readonly string[] {
    return this.allAt(address).map(({ name }) => name);
  }

  /** The next address that has a symbol. */
  after(address: bigint): KernelSymbol | undefined {
    return this.all[this.#behind(address)];
  }

  /** `name+0x1c`, or `name` at its first byte. */
  name(address: bigint): string | undefined {
    const found = this.at(address);
    if (!found) return undefined;
    const offset = address - found.address;
    return offset === 0n ? found.name : `${found.name}+0x${offset.toString(16)}`;
  }
}

/** The first of each name. */
function byName(symbols: readonly KernelSymbol[]): ReadonlyMap<string, KernelSymbol> {
  const found = new Map<string, KernelSymbol>();
  // Backwards, so that the first one stays.
  for (let n = symbols.length - 1; n >= 0; n--) {
    const one = symbols[n] as KernelSymbol;
    found.set(one.name, one);
  }
  return found;
}
