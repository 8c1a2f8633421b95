/** Recipes, link states and texts by seed: a failing case is a number. */

import {
  type Claim,
  COUNTS,
  type Edit,
  EVENTS,
  type Injection,
  JUDGEMENTS,
  type Position,
  type Recipe,
} from '../../src/scenario/recipe.ts';
import { isKey } from '../../src/scenario/recipe-types.ts';

export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0;
  }
  /** A whole number below `n`. Mulberry32 (Tommy Ettinger, public domain). */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
  maybe<T>(make: () => T): T | undefined {
    return this.chance(50) ? make() : undefined;
  }
  string(alphabet: string, least: number, most: number): string {
    return Array.from({ length: least + this.below(most - least + 1) }, () => this.pick([...alphabet])).join(
      '',
    );
  }
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const uniqueBy = <T>(list: readonly T[], key: (item: T) => string): T[] => [
  ...new Map(list.map((item) => [key(item), item])).values(),
];

export function slug(r: Random): string {
  const made = r.chance(40)
    ? r.pick([
        'test-a',
        'test-b',
        'int3',
        'kernel-task',
        'nested-nmi',
        'impossible',
        'allow',
        'b4',
        'v1',
        's',
        'w',
      ])
    : r.pick([...LOWER]) + r.string(`${LOWER}-`, 0, 12);
  return isKey(made) ? `${made}-x` : made;
}

function label(r: Random): string {
  const odd = [
    'cursor',
    'start',
    'b12',
    'at',
    'nmi-2',
    'x-0',
    'x-0x',
    'x-0x1f',
    '.Lx',
    '_',
    '$a',
    'a-',
    'expect',
  ];
  if (r.chance(25)) return r.pick(odd);
  return r.pick(['repeat_nmi', 'task', 'nmi-body.after-int3', 'first_nmi', r.string('abcXYZ_.$', 1, 8)]);
}

export function position(r: Random, cursorToo = true): Position {
  const kind = r.below(cursorToo ? 3 : 2);
  if (kind === 2) return { kind: 'cursor' };
  if (kind === 1) return { kind: 'boundary', n: r.below(r.pick([2, 100, 2 ** 31])) };
  return {
    kind: 'label',
    label: label(r),
    occurrence: r.chance(60) ? 1 : 1 + r.below(40),
    ...r.pick([
      { steps: 0, bytes: 0 },
      { steps: r.below(50) - 25, bytes: 0 },
      { steps: 0, bytes: r.below(4096) },
    ]),
  };
}

/** Words apart by one space; none starts with `>`. */
export function text(r: Random): string {
  const words = [
    'A',
    'second',
    'NMI',
    'note',
    'cursor',
    'scenario',
    'x',
    'v1',
    '|',
    '<NMI>',
    'a>b',
    '?',
    ',',
    '#1',
  ];
  const made: string[] = [r.pick(words)];
  for (let n = r.below(14); n > 0; n--) {
    const word = r.chance(70) ? r.pick(words) : r.string("abc.,;:!?'()[]{}|<#$%&*+-/\\^_`~", 1, 9);
    if (made.join(' ').length + word.length < 62) made.push(word);
  }
  return made.join(' ');
}

function claim(r: Random): Claim {
  const name = () =>
    r.pick(['end-2', 'orc', 'outermost.rip', 'saved-rdx', 'rax', 'executing', 'frame_pointer']);
  const at = r.maybe(() => position(r));
  const where = at && { at };
  switch (r.below(8)) {
    case 0:
      return { kind: 'verdict', verdict: r.pick(['returns', 'lost', 'no-progress', 'shutdown', 'budget']) };
    case 1:
      return { kind: 'verdict', verdict: 'not-modelled', name: slug(r) };
    case 2:
      return { kind: 'violates', invariant: name(), ...where };
    case 3: {
      const value = r.pick([
        '0x2b',
        'task+2',
        'T-48',
        "H'",
        'yes',
        'S, task stack',
        'start',
        '-1',
        '|',
        text(r),
      ]);
      return { kind: r.pick(['reg', 'word', 'latch']), name: name(), value, ...where };
    }
    case 4:
      return { kind: 'unwind', unwinder: name(), judgement: r.pick(JUDGEMENTS), ...where };
    case 5:
      return { kind: 'trace', unwinder: name(), text: text(r), ...where };
    case 6:
      return { kind: 'count', of: r.pick(COUNTS), n: r.below(10_000) };
    default:
      return { kind: 'digest', digest: 'k3v9qdtw', ...where };
  }
}

export function edit(r: Random, width = 60): Edit {
  const line = () =>
    r.pick([
      'movq $1, %rax',
      '  nop',
      '',
      '1:',
      '.set x, (1 | 2)',
      '# note "x" cursor',
      r.string('ab ,%$#|@="', 0, width),
    ]);
  const lines = r.list(6, () => line().slice(0, width).trimEnd());
  return { block: `${r.pick(['linux-4.2', 'a', 'lab/x'])}#${r.pick(['nmi', 'entry', '_x'])}`, lines };
}

export function recipe(r: Random, withEdits = true): Recipe {
  const kernel = () => ({
    name: r.pick(['6.12.5-amd64', 'vmlinux']),
    ...(r.chance(50) && { build: r.string('09af', 4, 4) }),
  });
  const code = r.chance(80) ? { design: r.pick(['linux-4.2', 'fred', '2010-latch']) } : { kernel: kernel() };
  return {
    slug: slug(r),
    version: r.below(30),
    title: r.maybe(() => text(r)),
    notes: r.list(2, () => text(r)),
    ...code,
    sets: uniqueBy(
      r.list(3, () => ({ name: slug(r), value: slug(r) })),
      ({ name }) => name,
    ),
    without: r.list(3, () => slug(r)),
    start: r.maybe(() => slug(r)),
    body: r.maybe(() => slug(r)),
    injects: r.list(5, (): Injection => ({ event: r.pick(EVENTS), position: position(r) })),
    edits: withEdits
      ? uniqueBy(
          r.list(2, () => edit(r)),
          ({ block }) => block,
        )
      : [],
    cursor: r.maybe(() => position(r, false)),
    expects: r.list(6, () => claim(r)),
  };
}

/** The same without places and without what is undefined. */
export const bare = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      ['place', 'places', 'nameAt', 'valueAt'].includes(key) ? undefined : item,
    ),
  );
