/** A vendor's switches as bits of one word, so that one module serves every vendor. */
import { INTEL, type Vendor } from '../../vendor.ts';

const SWITCHES = Object.entries(INTEL)
  .filter(([, position]) => typeof position === 'boolean')
  .map(([name]) => name);

/** The bit of a switch. @throws Error for a name that is not a switch */
export function vendorBit(name: string): number {
  const bit = SWITCHES.indexOf(name);
  if (bit < 0) throw new Error(`unknown vendor switch: ${name}`);
  return bit;
}

export const vendorBits = (vendor: Vendor): number =>
  Object.entries(vendor).reduce(
    (bits, [name, on]) => (on === true ? bits | (1 << vendorBit(name)) : bits),
    0,
  );
