/** The words of the NMI stack as a reader sees them: role, value, meaning, author. */
import { type Image, segmentAt, symbolize } from '../image/image.ts';
import type { Design } from '../kernel/design.ts';
import { SELECTOR } from '../kernel/memory-map.ts';
import type { Role } from '../kernel/roles.ts';
import type { Author, Word } from './timeline.ts';

/** `name+0x1c`: a symbol without its size, or the bare address. */
export const place = (image: Image, address: bigint): string =>
  symbolize(image, address)
    .replace(/\/0x[\da-f]+$/, '')
    .replace(/\+0x0$/, '');

/** `T-48` within the NMI stack, T itself included. */
export function fromTop(address: bigint, { top, nmi }: Design): string | undefined {
  const below = top - address;
  if (below < 0n || address < nmi.begin) return undefined;
  return below === 0n ? 'T' : `T-${below}`;
}

const FLAG_NAMES: readonly (readonly [bit: bigint, name: string])[] = [
  [0n, 'CF'],
  [2n, 'PF'],
  [4n, 'AF'],
  [6n, 'ZF'],
  [7n, 'SF'],
  [8n, 'TF'],
  [9n, 'IF'],
  [10n, 'DF'],
  [11n, 'OF'],
  [14n, 'NT'],
  [16n, 'RF'],
  [18n, 'AC'],
  [21n, 'ID'],
];

/** `IF ZF PF`: the flags that are set, highest bit last; `none set` for an empty register. */
export const flagNames = (image: bigint): string =>
  FLAG_NAMES.flatMap(([bit, name]) => ((image >> bit) & 1n ? [name] : [])).join(' ') || 'none set';

const SELECTOR_MEANING = new Map<bigint, string>([
  [SELECTOR.kernelCode, 'kernel'],
  [SELECTOR.kernelData, 'kernel'],
  [SELECTOR.userCode, 'user'],
  [SELECTOR.userData, 'user'],
  [0n, 'null'],
]);

/** What the first NMI of a run interrupted: A and S of the worked trace. */
export interface Interrupted {
  readonly rip: bigint;
  readonly rsp: bigint;
}

/** A stack address in words: `S, task stack`, `T-136, NMI stack`. */
export function stackMeaning(address: bigint, first: Interrupted | undefined, design: Design): string {
  const stack = design.stacks.find(({ begin, end }) => address >= begin && address <= end);
  const top = fromTop(address, design);
  if (top && stack?.name === 'NMI') return `${top}, NMI stack`;
  const name = stack ? (stack.name === 'TASK' ? 'task stack' : `${stack.name} stack`) : 'no kernel stack';
  if (first && address === first.rsp) return `S, ${name}`;
  const { begin, end } = design.task;
  if (first && stack?.name === 'TASK' && first.rsp >= begin && first.rsp <= end) {
    const distance = address - first.rsp;
    return `S${distance < 0n ? '-' : '+'}${distance < 0n ? -distance : distance}, ${name}`;
  }
  return name;
}

function ripMeaning(image: Image, address: bigint, first: Interrupted | undefined): string {
  if (!segmentAt(image, address)?.executable) return 'no code';
  const name = place(image, address);
  return first && address === first.rip ? `A, ${name}` : name;
}

/** What a word says, by its role. */
export function meaningOf(
  role: Role,
  value: bigint,
  image: Image,
  first: Interrupted | undefined,
  design: Design,
): string {
  switch (role.field) {
    case 'SS':
    case 'CS':
      return SELECTOR_MEANING.get(value) ?? 'unknown selector';
    case 'RSP':
      return stackMeaning(value, first, design);
    case 'RFLAGS':
      return flagNames(value);
    case 'RIP':
      return ripMeaning(image, value, first);
    case 'executing':
      return value === 1n ? 'yes' : value === 0n ? 'no' : 'neither 0 nor 1';
    case 'orig_ax':
      return BigInt.asIntN(64, value) === -1n ? '-1, no system call' : '';
    default:
      return '';
  }
}

/** Linear address of a role's word. */
const addressOfRole = ({ index }: Role, { top }: Design): bigint => top + 8n * BigInt(index);

/** An author that stood before the run: what an earlier NMI left, or nothing at all. */
export const EARLIER: Author = { kind: 'earlier', name: 'an earlier NMI', boundary: undefined };
export const NOBODY: Author = { kind: 'earlier', name: 'nobody yet', boundary: undefined };
/** The same for words that no role names. */
export const BEFORE: Author = { kind: 'earlier', name: 'before this run', boundary: undefined };

/** The words of one boundary; words that did not change are the previous boundary's own objects. */
export function wordsAt(
  design: Design,
  previous: readonly Word[] | undefined,
  read: (address: bigint) => bigint,
  authorOf: (address: bigint) => Author | undefined,
  boundary: number,
  meaning: (role: Role, value: bigint) => string,
): readonly Word[] {
  return design.roles.map((role, n): Word => {
    const address = addressOfRole(role, design);
    const value = read(address);
    const author = authorOf(address) ?? (value === 0n ? NOBODY : EARLIER);
    const was = previous?.[n];
    const changed = author.boundary === boundary && boundary > 0;
    const means = meaning(role, value);
    if (
      was &&
      !was.changed &&
      !changed &&
      was.value === value &&
      was.meaning === means &&
      was.author === author
    )
      return was;
    return {
      index: role.index,
      role: role.name,
      group: role.group,
      field: role.field,
      value,
      meaning: means,
      author,
      changed,
      before: changed && was && was.value !== value ? was.meaning : undefined,
    };
  });
}
