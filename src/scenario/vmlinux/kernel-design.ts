/**
 * A real kernel's stacks and records in the words in which a design tells its own: so that what tells and draws a run of ours does the
 * same with one of a kernel's.
 */
import type { Design } from '../../kernel/design.ts';
import { RECORD_SIZE, type StackRange } from '../../kernel/memory-map.ts';
import { keptRole, type Role, recordRoles, registerRoles } from '../../kernel/roles.ts';
import type { BroughtUp } from '../../kernel/vmlinux/bring-up.ts';

/** What the entry of NMIs has kept at these words since 3.3 (arch/x86/entry/entry_64.S, 6.12: the picture above first_nmi). */
const LOOP: readonly Role[] = [
  ...recordRoles('original', 'original', -1),
  keptRole(-6, 'saved-rdx', 'rdx'),
  keptRole(-7, 'executing', 'executing'),
  ...recordRoles('iret', 'iret', -8),
  ...recordRoles('outermost', 'outermost', -13),
  ...registerRoles(-18),
];
/** Labels of that loop. */
const LABELS = ['first_nmi', 'repeat_nmi', 'end_repeat_nmi'];

/** Where every other entry leaves its registers: right below what the processor has pushed. */
const PLAIN: readonly Role[] = [...recordRoles('original', 'original', -1), ...registerRoles(-6)];

/**
 * @param top the first byte above the words that are told
 * @param loop whether these words are those of the NMI's stack
 */
export function designOfKernel({ kernel, places }: BroughtUp, top: bigint, loop: boolean): Design {
  const { task, interruptStacks, entryStack } = places;
  const roles = loop && LABELS.every((name) => kernel.symbols.find(name)) ? LOOP : PLAIN;
  const stacks = [task, ...interruptStacks.toSorted((a, b) => (a.begin < b.begin ? -1 : 1)), entryStack];
  const holds = ({ begin, end }: StackRange): boolean => top > begin && top <= end;
  const records = [...new Set(roles.filter(({ field }) => field === 'RIP').map(({ name }) => name))];
  const indexOf = (name: string): number => roles.find((one) => one.name === name)?.index ?? 0;
  return {
    stacks,
    task,
    nmi: stacks.find(holds) ?? task,
    interruptStacks: interruptStacks.map((stack, n) => ({
      ist: n + 1,
      level: 0,
      sp0: false,
      stack,
    })),
    isolated: undefined,
    mms: undefined,
    cr4: 0n,
    top,
    fred: undefined,
    gates: [],
    roles,
    records: records.map((rip) => {
      const [name = ''] = rip.split('.');
      const role = roles.find((one) => one.name === rip);
      return { name, group: role?.group ?? 'original', rsp: indexOf(`${name}.rsp`), rip: indexOf(rip) };
    }),
    executing: roles.find(({ name }) => name === 'executing'),
    starts: [],
    bodies: [],
    labels: { again: undefined, nested: undefined, dies: undefined },
    fixups: [],
    exits: [],
    promises: [],
    breaks: [],
    dead: { ranges: [], belowRsp: [] },
    counters: [],
    absent: [],
    patchable: [],
    watched: [],
    intercepted: [],
  };
}

/** Where the words end that a delivery has pushed. */
export const topOfRecord = (slot: bigint): bigint => slot + RECORD_SIZE;
