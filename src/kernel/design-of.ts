/** From what a page declares to a design: names looked up in its code, ranges as addresses. */
import type { Problem } from '../asm/source.ts';
import { AMD, INTEL, type Vendor } from '../engine/vendor.ts';
import type { Image } from '../image/image.ts';
import type { Declared } from './declaration.ts';
import {
  type Design,
  EVENTS,
  type Gate,
  type HandlerBody,
  type InterruptStack,
  type Mms,
  type Range,
  type StartPoint,
  type Sweep,
} from './design.ts';
import { readEvents, readFred } from './fred.ts';
import { Lookup, one, optional, there } from './lookup.ts';
import { EXCEPTION_STACKS, PAGE_SIZE, SECTIONS, type StackRange, TASK } from './memory-map.ts';
import { keptRole, RECORD_GROUPS, type Role, recordRoles, registerRoles } from './roles.ts';
import { numberOf, type WordAt, Wrong } from './statement.ts';

/** Room for the exception stacks, and the words of the NMI stack that may have a name. */
const STACKS_ROOM = 0x2_0000;
const LOWEST_WORD = -512;
/** Transitions without an event that a start shows. */
const IDLE = 32;

/** The symbols that a design adds for its code: T, and the size of its NMI stack as the kernel calls it. */
export function stackSymbols(all: readonly Declared[]): {
  readonly symbols: Readonly<Record<string, bigint>>;
  readonly problems: readonly Problem[];
} {
  const look = new Lookup(all, undefined);
  const nmi = readStacks(look).find(({ stack }) => stack.name === 'NMI')?.stack;
  const symbols: Readonly<Record<string, bigint>> = nmi
    ? { NMI_TOP: nmi.end, EXCEPTION_STKSZ: nmi.end - nmi.begin }
    : {};
  return { symbols, problems: look.problems };
}

/** The design that declarations and code make, and what is wrong with what was declared. Never throws. */
export function designOf(
  all: readonly Declared[],
  image: Image,
): { readonly design: Design; readonly problems: readonly Problem[] } {
  const look = new Lookup(all, image);
  const interruptStacks = readStacks(look);
  const events = readEvents(look, interruptStacks);
  const stacks = [TASK, ...interruptStacks.map(({ stack }) => stack)];
  const nmi = stacks.find(({ name }) => name === 'NMI') ?? TASK;
  const roles = readRoles(look);
  const executing = roles.find(({ name }) => name === 'executing');
  const names = [...new Set(roles.map(({ name }) => name.split('.')[0] ?? ''))];
  const roleAt = (name: string): Role | undefined => roles.find((one) => one.name === name);
  const bodies = readBodies(look, image);
  const starts = readStarts(look);
  const label = (meaning: string): bigint | undefined =>
    look
      .each('label', ({ values: [what, name] }) => (what?.text === meaning && name ? [look.place(name)] : []))
      .at(-1);
  const design: Design = {
    stacks,
    task: TASK,
    nmi,
    interruptStacks,
    isolated: readIsolated(look, stacks),
    mms: readMms(look),
    cr4: look.each('processor', ({ values }) => values.map(featureOf)).reduce((all, bit) => all | bit, 0n),
    top: nmi.end,
    fred: readFred(look, events),
    gates: [...readGates(look, interruptStacks), ...events],
    roles,
    records: names.flatMap((name) => {
      const [rsp, rip] = [roleAt(`${name}.rsp`), roleAt(`${name}.rip`)];
      return rsp && rip ? [{ name, group: rsp.group, rsp: rsp.index, rip: rip.index }] : [];
    }),
    executing,
    starts,
    bodies,
    labels: { again: label('again'), nested: label('nested'), dies: label('dies') },
    fixups: look.each('fixup', ({ values: [fault, landing], keys }) => {
      const [from, to] = [fault && look.place(fault), landing && look.place(landing)];
      return from === undefined || to === undefined ? [] : [{ from, to, swapped: keys.has('swapped') }];
    }),
    exits: look.each('exit', ({ values }) => values.flatMap((label) => look.place(label) ?? [])),
    promises: readSweeps(look, 'promises', starts, bodies),
    breaks: readSweeps(look, 'breaks', starts, bodies),
    dead: {
      ranges: readDead(look, stacks, roles, nmi.end),
      belowRsp: look.each('dead', ({ values: [name], keys }) =>
        keys.has('below') ? stacks.filter((stack) => stack.name === name?.text) : [],
      ),
    },
    counters: look.each('counter', ({ values }) => values.flatMap((word) => look.place(word) ?? [])),
    absent: readRanges(look, 'absent'),
    patchable: readRanges(look, 'patchable'),
    watched: readRanges(look, 'watched'),
    intercepted: look.each('intercepted', (said) => {
      const [label, code] = [said.values[0], one(said, 'code')];
      const address = label && look.place(label);
      return address === undefined || !code
        ? []
        : [{ address, code: BigInt(numberOf(code, 0, 0xffff_ffff)) }];
    }),
  };
  return { design, problems: look.problems };
}

function readStacks(look: Lookup): readonly InterruptStack[] {
  let end = EXCEPTION_STACKS;
  const seen = new Set<string>();
  return look.each('stack', (said) => {
    const [name] = said.values;
    const [ist, size, gap] = [one(said, 'ist'), one(said, 'size'), one(said, 'gap')];
    if (!name || !size) return [];
    if (seen.has(name.text) || name.text === TASK.name)
      throw new Wrong(`duplicate stack: ${name.text}`, name.place);
    seen.add(name.text);
    const pages = (word: WordAt): bigint => {
      const bytes = BigInt(numberOf(word, 0, STACKS_ROOM));
      if (bytes % PAGE_SIZE !== 0n) throw new Wrong(`invalid size: ${word.text} (whole pages)`, word.place);
      return bytes;
    };
    const begin = end + (gap ? pages(gap) : 0n);
    end = begin + pages(size);
    if (end > EXCEPTION_STACKS + BigInt(STACKS_ROOM))
      throw new Wrong(`invalid size: ${size.text} (no room for ${name.text})`, size.place);
    const sp0 = said.keys.has('sp0');
    const level = one(said, 'level');
    return [
      {
        ist: ist ? numberOf(ist, 1, 7) : 0,
        level: level ? numberOf(level, 1, 3) : 0,
        sp0,
        stack: { name: name.text, begin, end },
      },
    ];
  });
}

function readIsolated(look: Lookup, stacks: readonly StackRange[]): readonly string[] | undefined {
  const names = [...SECTIONS, ...stacks].map(({ name }) => name);
  const shared = look.each('isolated', ({ values }) =>
    values.map(({ text, place }) => {
      if (names.includes(text)) return text;
      throw new Wrong(`unknown section or stack: ${text}${there(names)}`, place);
    }),
  );
  return shared.length > 0 ? shared : undefined;
}

function readMms(look: Lookup): Mms | undefined {
  const [isolated] = look.each('isolated', ({ place }) => [place]);
  return look
    .each('mm', (said) => {
      const current = look.place(one(said, 'current') as WordAt);
      const places = said.values.flatMap((label) => look.place(label) ?? []);
      if (isolated) throw new Wrong('invalid mm: page tables are isolated here', said.place);
      return current === undefined ? [] : [{ places, current }];
    })
    .at(-1);
}

/** What a kernel switches on where the processor has it, by its flag in /proc/cpuinfo: its bit of CR4 (SDM vol 3, 2.5). */
const FEATURES: ReadonlyMap<string, bigint> = new Map([['fsgsbase', 1n << 16n]]);

function featureOf({ text, place }: WordAt): bigint {
  const bit = FEATURES.get(text);
  if (bit === undefined) throw new Wrong(`unknown feature: ${text}${there([...FEATURES.keys()])}`, place);
  return bit;
}

function readGates(look: Lookup, stacks: readonly InterruptStack[]): readonly Gate[] {
  const seen = new Set<string>();
  return look.each('gate', (said): readonly Gate[] => {
    const [number, entry] = said.values;
    if (!number || !entry) return [];
    const vector = numberOf(number, 0, 255);
    const table = one(said, 'in');
    const name = `${vector} ${table?.text ?? ''}`;
    if (seen.has(name)) throw new Wrong(`duplicate gate: ${vector}`, number.place);
    seen.add(name);
    const on = one(said, 'on');
    const stack = stacks.find(({ stack: { name } }) => name === on?.text);
    if (on && !stack)
      throw new Wrong(`unknown stack: ${on.text}${there(stacks.map((s) => s.stack.name))}`, on.place);
    const dpl = one(said, 'dpl');
    return [
      {
        vector,
        entry: entry.text,
        address: optional(() => look.place(entry)),
        ist: stack?.ist ?? 0,
        dpl: dpl ? BigInt(numberOf(dpl, 0, 3)) : 0n,
        table: table && look.place(table),
      },
    ];
  });
}

function readRoles(look: Lookup): readonly Role[] {
  const taken = new Set<number>();
  /** The roles that a declaration makes, unless one of their words has a name already. */
  const fresh = (said: Declared, roles: readonly Role[]): readonly Role[] => {
    const twice = roles.find(({ index }) => taken.has(index));
    if (twice) throw new Wrong(`duplicate word: ${twice.index} (it has a name already)`, said.place);
    for (const { index } of roles) taken.add(index);
    return roles;
  };
  const index = (word: WordAt, words: number): number => numberOf(word, LOWEST_WORD + words - 1, -1);
  const at = (said: Declared, words: number): number => index(one(said, 'at') as WordAt, words);
  return [
    ...look.each('record', (said) => {
      const name = said.values[0] as WordAt;
      const like = one(said, 'as') ?? name;
      const group = RECORD_GROUPS.find((known) => known === like.text);
      if (!group)
        throw new Wrong(`unknown record: ${like.text} (write as ${RECORD_GROUPS.join(', as ')})`, like.place);
      return fresh(said, recordRoles(name.text, group, at(said, 5)));
    }),
    ...look.each('word', (said) => {
      const [where, name] = said.values as [WordAt, WordAt];
      return fresh(said, [keptRole(index(where, 1), name.text, one(said, 'field')?.text ?? name.text)]);
    }),
    ...look.each('registers', (said) => fresh(said, registerRoles(at(said, 16)))),
  ].toSorted((a, b) => b.index - a.index);
}

function readStarts(look: Lookup): readonly StartPoint[] {
  return look.each('start', (said) => {
    const [name] = said.values;
    const [at, idle, vendor] = [one(said, 'at'), one(said, 'idle'), one(said, 'vendor')];
    if (!name || !at) return [];
    return [
      {
        name: name.text,
        at: at.text,
        user: said.keys.has('user'),
        earlier: one(said, 'earlier')?.text,
        begin: one(said, 'begin')?.text ?? at.text,
        syscall: one(said, 'syscall')?.text,
        vendor: vendor ? vendorOf(vendor) : INTEL,
        idle: idle ? numberOf(idle, 1, 1000) : IDLE,
      },
    ];
  });
}

const VENDORS: readonly Vendor[] = [INTEL, AMD];

function vendorOf({ text, place }: WordAt): Vendor {
  const found = VENDORS.find(({ name }) => name === text);
  if (!found) throw new Wrong(`unknown vendor: ${text}${there(VENDORS.map(({ name }) => name))}`, place);
  return found;
}

const BODY = 'nmi_body_';

/** Every symbol `nmi_body_NAME` is a body; in names of recipes `-` stands for `_`. */
function readBodies(look: Lookup, image: Image): readonly HandlerBody[] {
  const arms = new Map(
    look.each('body', (said) => {
      const [name] = said.values;
      const word = one(said, 'arms');
      const place = word && look.place(word);
      return name && place !== undefined ? [[name.text, place] as const] : [];
    }),
  );
  return image.symbols.flatMap(({ name: symbol, address }) => {
    if (!symbol.startsWith(BODY)) return [];
    const name = symbol.slice(BODY.length).replaceAll('_', '-');
    return [{ name, symbol, address, arms: arms.get(name) }];
  });
}

function readSweeps(
  look: Lookup,
  word: 'promises' | 'breaks',
  starts: readonly StartPoint[],
  bodies: readonly HandlerBody[],
): readonly Sweep[] {
  const known = <T extends string>(
    what: string,
    words: readonly WordAt[],
    names: readonly T[],
  ): readonly T[] =>
    words.map(({ text, place }) => {
      const name = names.find((one) => one === text);
      if (name === undefined) throw new Wrong(`unknown ${what}: ${text}${there(names)}`, place);
      return name;
    });
  return look.each(word, (said) => [
    {
      events: known('event', said.values, EVENTS),
      bound: numberOf(one(said, 'bound') as WordAt, word === 'breaks' ? 0 : 1, 8),
      starts: known(
        'start',
        said.keys.get('from') ?? [],
        starts.map(({ name }) => name),
      ),
      bodies: known(
        'body',
        said.keys.get('with') ?? [],
        bodies.map(({ name }) => name),
      ),
      without: (said.keys.get('without') ?? []).map(({ text }) => text),
      cured: (said.keys.get('cured') ?? []).map(({ text }) => text),
      judge: (said.keys.get('judge') ?? []).map(({ text }) => text),
      right: said.keys.has('right'),
      place: said.place,
    },
  ]);
}

/** `LABEL to LABEL`, `LABEL size BYTES`; a word of eight bytes without either. */
function rangeOf(look: Lookup, said: Declared, otherwise: bigint | undefined): readonly Range[] {
  const [name] = said.values;
  const [size, to] = [one(said, 'size'), one(said, 'to')];
  const from = name && look.place(name);
  if (!name || from === undefined) return [];
  if (size && to) throw new Wrong('invalid range: size or to, not both', to.place);
  const bytes = size ? BigInt(numberOf(size, 1, 0x10_0000)) : otherwise;
  const end = to ? look.place(to) : bytes === undefined ? undefined : from + bytes;
  if (end === undefined) throw new Wrong('missing end: write size BYTES or to LABEL', name.place);
  if (end <= from) throw new Wrong(`invalid range: ${to?.text} does not lie behind ${name.text}`, name.place);
  return [{ name: name.text, from, to: end }];
}

const readRanges = (look: Lookup, word: 'absent' | 'patchable' | 'watched'): readonly Range[] =>
  look.each(word, (said) => rangeOf(look, said, undefined));

function readDead(
  look: Lookup,
  stacks: readonly StackRange[],
  roles: readonly Role[],
  top: bigint,
): readonly Range[] {
  return look.each('dead', (said): readonly Range[] => {
    const [name] = said.values;
    const stack = stacks.find((known) => known.name === name?.text);
    const but = said.keys.get('but') ?? [];
    if (!stack || !name) {
      if (but.length > 0 || said.keys.has('below'))
        throw new Wrong(`unknown stack: ${name?.text}${there(stacks.map((s) => s.name))}`, said.place);
      return rangeOf(look, said, 8n);
    }
    if (said.keys.has('below')) return [];
    const alive = but
      .map((word) => {
        const role = roles.find((known) => known.name === word.text);
        if (!role && !said.usual) throw new Wrong(`unknown word: ${word.text}`, word.place);
        return role ? top + 8n * BigInt(role.index) : undefined;
      })
      .filter((address) => address !== undefined)
      .toSorted((a, b) => (a < b ? -1 : 1));
    const edges = [stack.begin, ...alive.flatMap((address) => [address, address + 8n]), stack.end];
    return edges.flatMap((from, n) => {
      const to = edges[n + 1];
      return n % 2 === 0 && to !== undefined && to > from ? [{ name: name.text, from, to }] : [];
    });
  });
}
