/** From `label#2+3` to the number of a boundary, in one run. */
import { addressOf, type Image, lineAt, symbolAt } from '../image/image.ts';
import { printPosition } from './recipe-position.ts';
import type { Position } from './recipe-types.ts';

export type Located = { readonly boundary: number } | { readonly problem: string };

const times = (n: number): string => (n === 1 ? 'once' : n === 0 ? 'never' : `${n} times`);

/** The address a label position names, offset in bytes included. */
export function addressAt(
  position: Position & { readonly kind: 'label' },
  image: Image,
): { readonly address: bigint } | { readonly problem: string } {
  const base = addressOf(image, position.label);
  if (base === undefined)
    return { problem: `unknown label: ${position.label}${near(image, position.label)}` };
  const address = base + BigInt(position.bytes);
  if (position.bytes > 0 && (!lineAt(image, address) || symbolAt(image, address) === undefined)) {
    return { problem: `invalid position: ${printPosition(position)} (no instruction begins there)` };
  }
  return { address };
}

/** `rips[b]` is RIP at boundary b. Boundaries behind the end are accepted only by number: the run goes on to them. */
export function locate(position: Position, image: Image, rips: readonly bigint[], cursor: number): Located {
  if (position.kind === 'cursor') return { boundary: cursor };
  if (position.kind === 'boundary') return { boundary: position.n };
  const at = addressAt(position, image);
  if ('problem' in at) return at;
  const reached = rips.flatMap((rip, b) => (rip === at.address && rips[b - 1] !== rip ? [b] : []));
  const first = reached[position.occurrence - 1];
  if (first === undefined)
    return { problem: `invalid position: ${printPosition(position)} (reached ${times(reached.length)})` };
  const boundary = first + position.steps;
  if (boundary < 0 || boundary >= rips.length) {
    return {
      problem: `invalid position: ${printPosition(position)} (this run has boundaries 0 to ${rips.length - 1})`,
    };
  }
  return { boundary };
}

/** Labels that begin alike, for a name that is unknown. */
function near(image: Image, label: string): string {
  const alike = image.symbols.map(({ name }) => name).filter((name) => name.startsWith(label.slice(0, 3)));
  return alike.length > 0 ? ` (there is ${alike.slice(0, 5).join(', ')})` : '';
}
