/** The walk by the manual: flags it sets, large pages, reserved bits, rights across levels. On both backends. */
import { expect, test } from 'vitest';
import { JOURNAL_END, JOURNAL_ENTRY, TRANSITION_ENTRIES } from '../../src/engine/layout.ts';
import { MAXPHYADDR } from '../../src/isa/state.ts';
import {
  bytes,
  DATA,
  DATA_TABLE,
  type Guest,
  type GuestOptions,
  guest,
  HANDLERS,
  istTop,
  STACK,
  TABLES,
  TEXT,
  TSS,
  USER_CS,
  USER_DATA,
  USER_SS,
  USER_STACK_TOP,
  USER_TEXT,
} from './guest.ts';
import {
  BIT,
  change,
  entryOf,
  LEVELS,
  type Level,
  marks,
  placeOf,
  putWord,
  USED,
  unmark,
} from './page-entries.ts';
import { Pair, same } from './wasm-pair.ts';

/** mov (%rax),%rcx and mov %rcx,(%rax) */
const READ = '48 8b 08';
const WRITE = '48 89 08';
/** Far from everything that the guest maps. */
const LARGE = 0xffff_a000_0000_0000n;

/** Both backends in the same situation. */
function pair(options: GuestOptions, prepare: (made: Guest) => void = () => {}): Pair {
  const made = new Pair({ frames: 128, ...options });
  for (const one of made.both) {
    prepare(one);
    one.machine.keyframe();
  }
  return made;
}
/** What one transition of both was: `#14 3`, `instruction`, or why it stopped. */
const outcome = (made: Pair): string => {
  const found = made.do(({ machine }) => {
    const ran = machine.run(1);
    if (ran === 0) return machine.stopReason;
    if (machine.get('pendingKind') === 0n) return 'instruction';
    return `#${machine.get('pendingVector')} ${machine.get('pendingCode')}`;
  });
  made.expectSame(found);
  return found;
};
const marksOf = (made: Pair, va: bigint, levels: readonly Level[] = LEVELS): string =>
  made.do((one) => marks(one, va, levels));

// SDM vol 3, 4.8: A when an entry is used to translate, D in the last one when it is for a write.
test('a read marks every level accessed, a write the last one dirty, outermost first, in the journal', () => {
  const made = pair({ text: `${READ} ${READ} ${WRITE} ${WRITE}`, state: { rax: DATA } }, (one) =>
    unmark(one, DATA),
  );
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA)).toBe('A A A A');
  const places = made.do((one) => LEVELS.map((level) => placeOf(one, DATA, level)));
  const written = (): number[] =>
    made.do(({ machine }) => machine.journalSince(0).map(({ physical }) => physical));
  expect(written()).toEqual(places);
  expect(outcome(made)).toBe('instruction');
  expect(written()).toEqual(places);
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA)).toBe('A A A AD');
  expect(written().slice(4)).toEqual([places[3], made.do(({ machine }) => machine.physical(DATA))]);
  same(
    pair({ text: `${READ} ${READ} ${WRITE} ${WRITE}`, state: { rax: DATA } }, (one) => unmark(one, DATA)),
    4,
  );
});

test('undo takes the marks back, and what was cached with them', () => {
  const made = pair({ text: `${WRITE} ${WRITE}`, state: { rax: DATA } }, (one) => unmark(one, DATA));
  for (const one of made.both) {
    const mark = one.machine.mark();
    one.machine.run(2);
    one.machine.undo(mark);
  }
  expect(marksOf(made, DATA)).toBe('- - - -');
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA)).toBe('A A A AD');
});

test('a page that was only read is not written through what was remembered of it', () => {
  // Read, write; then the guest clears the dirty flag by a store to the page table, and writes again.
  const text = `${READ} ${WRITE} 48 89 16 ${WRITE}`;
  const made = pair({ text, state: { rax: DATA, rsi: DATA_TABLE } }, (one) => {
    change(one, DATA, 'PT', (entry) => entry & ~BIT.dirty);
    one.machine.set('rdx', entryOf(one, DATA, 'PT'));
  });
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA, ['PT'])).toBe('A');
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA, ['PT'])).toBe('AD');
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA, ['PT'])).toBe('A');
  expect(outcome(made)).toBe('instruction');
  expect(marksOf(made, DATA, ['PT'])).toBe('AD');
});

test('software that clears the accessed flag sees it set again by the next use', () => {
  // mov (%rax),%rcx; mov %rdx,(%rsi); mov (%rax),%rcx
  const made = pair({ text: `${READ} 48 89 16 ${READ}`, state: { rax: DATA, rsi: DATA_TABLE } }, (one) =>
    one.machine.set('rdx', entryOf(one, DATA, 'PT') & ~USED),
  );
  for (const expected of ['AD', '-', 'A']) {
    expect(outcome(made)).toBe('instruction');
    expect(marksOf(made, DATA, ['PT'])).toBe(expected);
  }
});

// An entry that leads to a table is used as soon as it is read; the last one only if the access is granted.
test('a walk that raises has marked the tables on its way, and not the page', () => {
  const absent = pair({ text: READ, state: { rax: DATA } }, (one) => {
    unmark(one, DATA);
    change(one, DATA, 'PT', (entry) => entry & ~BIT.present);
  });
  expect(outcome(absent)).toBe('#14 0');
  expect(marksOf(absent, DATA)).toBe('A A A -');
  const middle = pair({ text: READ, state: { rax: DATA } }, (one) => {
    unmark(one, DATA);
    change(one, DATA, 'PD', (entry) => entry & ~BIT.present);
  });
  expect(outcome(middle)).toBe('#14 0');
  expect(marksOf(middle, DATA, ['PML4', 'PDPT', 'PD'])).toBe('A A -');
  const refused = pair({ text: WRITE, state: { rax: DATA } }, (one) => {
    unmark(one, DATA);
    change(one, DATA, 'PT', (entry) => entry & ~BIT.writable);
  });
  expect(outcome(refused)).toBe('#14 3');
  expect(marksOf(refused, DATA)).toBe('A A A -');
});

test('an access across two pages of which the second faults has marked the first', () => {
  const made = pair({ text: WRITE, state: { rax: DATA + 0xffcn } }, (one) => {
    unmark(one, DATA);
    change(one, DATA + 0x1000n, 'PT', (entry) => entry & ~BIT.writable);
  });
  expect(outcome(made)).toBe('#14 3');
  expect(marksOf(made, DATA)).toBe('A A A AD');
  expect(made.do(({ machine }) => machine.read(DATA + 0xff8n, 64))).toBe(0n);
});

test('a fetch marks the page of text, both pages of an instruction that crosses, and never dirty', () => {
  const made = pair({ state: { rip: TEXT + 0xfffn } }, (one) => {
    one.space.write(TEXT + 0xfffn, bytes('48 ff c0'));
    for (const va of [TEXT, TEXT + 0x1000n]) unmark(one, va);
  });
  expect(outcome(made)).toBe('instruction');
  expect([marksOf(made, TEXT), marksOf(made, TEXT + 0x1000n, ['PT'])]).toEqual(['A A A A', 'A']);
  // One that ends on its page leaves the next one alone.
  const within = pair({ state: { rip: TEXT + 0xffdn } }, (one) => {
    one.space.write(TEXT + 0xffdn, bytes('48 ff c0'));
    for (const va of [TEXT, TEXT + 0x1000n]) unmark(one, va);
  });
  expect(outcome(within)).toBe('instruction');
  expect([marksOf(within, TEXT, ['PT']), marksOf(within, TEXT + 0x1000n, ['PT'])]).toEqual(['A', '-']);
});

test('a fetch that faults, and bytes that mean nothing: handed over, and marked the same', () => {
  const refused = pair({ state: { rip: DATA } }, (one) => unmark(one, DATA));
  expect(outcome(refused)).toBe('#14 17');
  expect(marksOf(refused, DATA)).toBe('A A A -');
  const undefinedOpcode = pair({ text: '0f 04' }, (one) => unmark(one, TEXT));
  expect(outcome(undefinedOpcode)).toBe('#6 0');
  expect(marksOf(undefinedOpcode, TEXT)).toBe('A A A A');
});

test('delivery marks IDT, GDT, TSS and stack; only the stack is dirty', () => {
  const pages = [TABLES, istTop(1) - 0x1000n];
  const made = pair({ text: '0f 0b', ist: { 6: 1 } }, (one) => {
    for (const va of pages) unmark(one, va);
  });
  expect(outcome(made)).toBe('#6 0');
  expect(marksOf(made, TABLES, ['PT'])).toBe('-');
  expect(outcome(made)).toBe('instruction');
  expect(made.do(({ machine }) => machine.get('rip'))).toBe(HANDLERS + 6n * 64n);
  expect(pages.map((va) => marksOf(made, va))).toEqual(['A A A A', 'A A A AD']);
});

test('looking marks nothing, and keeps nothing that would hide a mark later', () => {
  const made = pair({ text: READ, state: { rax: DATA } }, (one) => {
    unmark(one, DATA);
    unmark(one, TEXT);
  });
  for (const { machine } of made.both) {
    const before = machine.describe();
    expect(machine.read(DATA, 64)).toBe(0n);
    expect(machine.instructionAt(TEXT)?.row.mnemonic).toBe('mov');
    expect(machine.describe()).toBe(before);
  }
  expect(outcome(made)).toBe('instruction');
  expect([marksOf(made, DATA), marksOf(made, TEXT)]).toEqual(['A A A A', 'A A A A']);
  // Bigint's own cache, which the reader fills as well.
  const cached = guest({ text: READ, state: { rax: DATA }, cached: true });
  unmark(cached, DATA);
  expect(cached.machine.read(DATA, 64)).toBe(0n);
  expect(cached.machine.run(1)).toBe(1);
  expect(marks(cached, DATA)).toBe('A A A A');
});

test('a stop changes nothing but what was looked at', () => {
  const made = pair({ text: 'd8 c0' }, (one) => unmark(one, TEXT));
  expect(outcome(made)).toBe('not modelled: x87');
  expect(marksOf(made, TEXT)).toBe('A A A A');
});

test('marks that fill the journal, also of an instruction that is decoded first: both stop behind the same transition', () => {
  for (let room = 0; room < 10; room++) {
    // inc %rax over the end of a page; an opcode that means nothing; a fetch that faults
    for (const [rip, text] of [
      [TEXT + 0xffen, '48 ff c0'],
      [TEXT + 0xfffn, '0f 04'],
      [DATA, '90'],
    ] as const) {
      const made = pair({ state: { rip } }, (one) => {
        one.space.write(rip, bytes(text));
        for (const va of [TEXT, TEXT + 0x1000n, DATA]) unmark(one, va);
      });
      const head = BigInt(JOURNAL_END - (TRANSITION_ENTRIES + room) * JOURNAL_ENTRY);
      for (const { machine } of made.both) machine.set('journalHead', head);
      const ran = made.do(({ machine }) => machine.run(5));
      made.expectSame(`${text}, room for ${room}`);
      if (room > 0) expect(ran, `${text}, room for ${room}`).toBeGreaterThan(0);
    }
  }
});

// SDM vol 3, figures 4-9 and 4-10; tables 4-16 and 4-18.
/** 2 MiB at LARGE, or 1 GiB, from physical address 0. */
function large(level: 'PD' | 'PDPT', rights: bigint, options: GuestOptions = {}): Pair {
  return pair(options, (one) => {
    one.space.map(LARGE, 1, { writable: true });
    putWord(one.machine, placeOf(one, LARGE, level), BIT.present | BIT.large | rights);
  });
}
for (const level of ['PD', 'PDPT'] as const) {
  const above = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  test(`a large page mapped by the ${level}: every offset, marks in that entry, 4 KiB pieces remembered apart`, () => {
    const made = large(level, BIT.writable | BIT.pat, {
      text: `${READ} ${READ} ${WRITE}`,
      state: { rax: LARGE },
    });
    const frame = made.do(({ machine }) => machine.physical(DATA)) ?? 0;
    for (const { machine, space } of made.both) {
      space.writeWords(DATA, [0x1234n]);
      machine.set('rax', LARGE + BigInt(frame));
    }
    expect(outcome(made)).toBe('instruction');
    expect(made.do(({ machine }) => machine.get('rcx'))).toBe(0x1234n);
    expect(marksOf(made, LARGE, above).split(' ').at(-1)).toBe('A');
    for (const { machine } of made.both) machine.set('rax', LARGE + BigInt(frame) + 0xffdn);
    expect(outcome(made)).toBe('instruction');
    expect(outcome(made)).toBe('instruction');
    expect(marksOf(made, LARGE, above).split(' ').at(-1)).toBe('AD');
    expect(made.do(({ machine }) => machine.read(LARGE + BigInt(frame), 64))).toBe(0x1234n);
  });
  test(`rights of a large page mapped by the ${level}`, () => {
    const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
    const at = { rax: LARGE + 0x3000n };
    expect(outcome(large(level, 0n, { text: WRITE, state: at }))).toBe('#14 3');
    expect(outcome(large(level, BIT.writable, { user: READ, state: { ...user, ...at } }))).toBe('#14 5');
    expect(outcome(large(level, BIT.user, { user: READ, state: { ...user, ...at } }))).toBe('instruction');
    const smap = { ...at, cr4: 0x20_0020n };
    expect(outcome(large(level, BIT.user, { text: READ, state: smap }))).toBe('#14 1');
    expect(outcome(large(level, BIT.noExecute, { text: 'ff e0', state: at }))).toBe('instruction');
    const jump = large(level, BIT.noExecute, { state: { rip: LARGE + 0x3000n } });
    expect(outcome(jump)).toBe('#14 17');
  });
  test(`reserved address bits of a large page mapped by the ${level}; beyond memory it stops`, () => {
    const top = level === 'PD' ? 20n : 29n;
    for (const bit of [13n, top, 50n])
      expect(outcome(large(level, 1n << bit, { text: READ, state: { rax: LARGE } })), `bit ${bit}`).toBe(
        '#14 9',
      );
    const beyond = large(level, 1n << (top + 1n), { text: READ, state: { rax: LARGE } });
    expect(outcome(beyond)).toBe('not modelled: physical address outside memory');
  });
}

test('the offset within a page of 1 GiB has 30 bits', () => {
  const made = large('PDPT', 0n, { text: READ, state: { rax: LARGE + 0x20_0000n } });
  expect(outcome(made)).toBe('not modelled: physical address outside memory');
  const within = large('PD', 0n, { text: READ, state: { rax: LARGE + 0x1000n } });
  expect(outcome(within)).toBe('instruction');
});

test('reserved bits at every level raise #PF with RSVD: from MAXPHYADDR up, and PS in the PML4 (SDM vol 3, 4.5.4)', () => {
  expect(MAXPHYADDR).toBe(46);
  for (const level of LEVELS) {
    for (const bit of [46n, 51n]) {
      const made = pair({ text: WRITE, state: { rax: DATA } }, (one) =>
        change(one, DATA, level, (entry) => entry | (1n << bit)),
      );
      expect(outcome(made), `${level} bit ${bit}`).toBe('#14 11');
    }
    // Bits 58:52 are the software's.
    const ignored = pair({ text: WRITE, state: { rax: DATA } }, (one) =>
      change(one, DATA, level, (entry) => entry | (0x7fn << 52n) | (7n << 9n)),
    );
    expect(outcome(ignored)).toBe('instruction');
    // Not present comes before reserved.
    const absent = pair({ text: WRITE, state: { rax: DATA } }, (one) =>
      change(one, DATA, level, (entry) => (entry | (1n << 51n)) & ~BIT.present),
    );
    expect(outcome(absent)).toBe('#14 2');
    const nx = pair({ text: WRITE, state: { rax: DATA, efer: 0x501n } }, (one) =>
      change(one, DATA, level, (entry) => entry | BIT.noExecute),
    );
    expect(outcome(nx), `${level} NX`).toBe('#14 11');
  }
  const top = pair({ text: READ, state: { rax: DATA } }, (one) =>
    change(one, DATA, 'PML4', (entry) => entry | BIT.large),
  );
  expect(outcome(top)).toBe('#14 9');
});

// SDM vol 3, 4.6.1: a right must be granted at every level, NX takes it at any.
test('every level must grant writing and use, any level can take execution', () => {
  const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
  for (const level of LEVELS) {
    const made = (options: GuestOptions, va: bigint, how: (entry: bigint) => bigint): string =>
      outcome(pair(options, (one) => change(one, va, level, how)));
    expect(made({ text: WRITE, state: { rax: DATA } }, DATA, (entry) => entry & ~BIT.writable)).toBe('#14 3');
    const supervisor = { rax: DATA, cr0: 0x8004_0033n };
    expect(made({ text: WRITE, state: supervisor }, DATA, (entry) => entry & ~BIT.writable)).toBe(
      'instruction',
    );
    // USER_TEXT lies under the same two upper tables: there the fetch is refused first.
    const refused = level === 'PT' || level === 'PD' ? '#14 7' : '#14 21';
    const data = { ...user, rax: USER_DATA };
    expect(made({ user: WRITE, state: data }, USER_DATA, (entry) => entry & ~BIT.user)).toBe(refused);
    const jump = { rip: DATA };
    const allowed = pair({ state: jump }, (one) => {
      for (const each of LEVELS) change(one, DATA, each, (entry) => entry & ~BIT.noExecute);
      one.space.write(DATA, bytes('90'));
    });
    expect(outcome(allowed)).toBe('instruction');
    const taken = pair({ state: jump }, (one) => {
      for (const each of LEVELS) change(one, DATA, each, (entry) => entry & ~BIT.noExecute);
      change(one, DATA, level, (entry) => entry | BIT.noExecute);
    });
    expect(outcome(taken)).toBe('#14 17');
  }
});

// SDM vol 3, 4.10.4.1: with CR4.PCIDE bit 63 asks to keep translations, which is a permission only.
test('MOV CR3 with the no-flush bit: this model keeps nothing, so a changed table is seen at once', () => {
  // mov (%rax),%rcx; mov %rbx,%cr3; mov (%rax),%rcx
  const made = pair({ text: `${READ} 0f 22 db ${READ}`, state: { rax: DATA, cr4: 0x2_0020n } }, (one) =>
    one.machine.set('rbx', one.space.root | (1n << 63n) | 5n),
  );
  expect(outcome(made)).toBe('instruction');
  for (const one of made.both) change(one, DATA, 'PT', (entry) => entry & ~BIT.present);
  expect(outcome(made)).toBe('instruction');
  expect(made.do(({ machine, space }) => machine.get('cr3') === (space.root | 5n))).toBe(true);
  expect(outcome(made)).toBe('#14 0');
});

test('the stack of a delivery must lie within the TSS, else #TS with the selector of TR (SDM vol 3, 6.14.4)', () => {
  const state = { tr: 0x43n, tssLimit: 42n };
  const made = pair({ text: '0f 0b', ist: { 6: 1 }, state });
  expect(outcome(made)).toBe('#6 0');
  expect(outcome(made)).toBe('#10 65');
  const enough = pair({ text: '0f 0b', ist: { 6: 1 }, state: { ...state, tssLimit: 43n } });
  outcome(enough);
  expect(outcome(enough)).toBe('instruction');
  expect(made.do(({ machine }) => machine.read(TSS + 36n, 64))).toBe(istTop(1));
  // From ring 3 without IST: RSP0 ends at byte 11.
  const user = { rip: USER_TEXT, rsp: USER_STACK_TOP - 8n, cs: USER_CS, ss: USER_SS, cpl: 3n };
  const outer = pair({ user: '0f 0b', state: { ...user, tssLimit: 10n } });
  outcome(outer);
  expect(outcome(outer)).toBe('#10 1');
  // In ring 0 without IST the TSS is not asked.
  const inner = pair({ text: '0f 0b', state: { tssLimit: 0n, rsp: STACK + 0x2000n } });
  outcome(inner);
  expect(outcome(inner)).toBe('instruction');
});

test('delivery marks the code segment accessed, and a table that cannot be written raises #PF (SDM vol 3, 3.4.5.1)', () => {
  const access = TABLES + 0xc10n;
  const made = pair({ text: '0f 0b' }, (one) => one.space.writeWords(access, [0x00af_9a00_0000_ffffn]));
  outcome(made);
  expect(outcome(made)).toBe('instruction');
  expect(made.do(({ machine }) => machine.read(access, 64))).toBe(0x00af_9b00_0000_ffffn);
  const fixed = pair({ text: '0f 0b' }, (one) => {
    one.space.writeWords(access, [0x00af_9a00_0000_ffffn]);
    one.space.protect(TABLES, 1, {});
  });
  outcome(fixed);
  expect(outcome(fixed)).toBe('#14 3');
  expect(fixed.do(({ machine }) => machine.get('cr2'))).toBe(access + 5n);
});
