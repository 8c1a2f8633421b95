/** What QEMU's monitor tells of the processor: `info registers` has what its gdb stub has not. */

/** A table or a segment: selector (0 for the GDT and the IDT), base, limit. */
export interface Extent {
  readonly selector: bigint;
  readonly base: bigint;
  readonly limit: bigint;
}

export interface Tables {
  readonly gdt: Extent;
  readonly idt: Extent;
  readonly tr: Extent;
  readonly ldt: Extent;
  /** DR0 to DR3, DR6, DR7 by number. */
  readonly debug: Readonly<Record<number, bigint>>;
}

/** @throws Error for a text that is not one of QEMU's */
export function readTables(text: string): Tables {
  const extent = (name: string): Extent => {
    const found = new RegExp(`^${name} *= *(?:([0-9a-f]{4}) )?([0-9a-f]{16}) ([0-9a-f]{8})`, 'm').exec(text);
    if (!found) throw new Error(`missing ${name} in what the monitor says of registers`);
    const [, selector = '0', base = '0', limit = '0'] = found;
    return { selector: BigInt(`0x${selector}`), base: BigInt(`0x${base}`), limit: BigInt(`0x${limit}`) };
  };
  const debug = [...text.matchAll(/\bDR(\d)=([0-9a-f]{16})/g)].map(([, n = '', value = '']) => [
    Number(n),
    BigInt(`0x${value}`),
  ]);
  return {
    gdt: extent('GDT'),
    idt: extent('IDT'),
    tr: extent('TR'),
    ldt: extent('LDT'),
    debug: Object.fromEntries(debug),
  };
}
