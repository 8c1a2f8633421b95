/** How reasons speak of addresses: by their distance from something the reader can see. */
import { stackOf } from './stack-info.ts';
import type { StackRange } from './view.ts';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** `the task stack`, `the NMI stack`. */
export const stackText = (name: string): string => `the ${name === 'TASK' ? 'task' : name} stack`;

/**
 * `T-136` in the NMI stack; `S`, `S+200` in the task stack where its RSP `task` is known; `#DB end-48` in other
 * stacks; the number elsewhere.
 */
export function addressText(stacks: readonly StackRange[], address: bigint, task?: bigint): string {
  const stack = stackOf(stacks, address);
  if (stack?.name === 'NMI') return `T-${stack.end - address}`;
  if (!stack || (stack.name === 'TASK' && task === undefined)) return hex(address);
  if (stack.name !== 'TASK' || task === undefined) return `${stack.name} end-${stack.end - address}`;
  if (address === task) return 'S';
  return address > task ? `S+${address - task}` : `S-${task - address}`;
}

/** `do_work` of `do_work+0x1c/0x40`. */
export const functionText = (symbol: string): string => symbol.replace(/\+0x.*$/, '');

/** `a`, `a and b`, `a, b and c`; of more than four only the first, the last and their number. */
export function listText(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  if (names.length > 4) return `${names.length} functions from ${names[0]} to ${last}`;
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last;
}
