/**
 * What a page declares of its design, in marks of its assembly: `#: gate 2 nmi on NMI`. Marks stand beside the code
 * they speak of, come along with `.include`, with a reader's edits and with frozen rows, and are comments to GNU as.
 */
import { type Mark, marksOf } from '../asm/clause.ts';
import { isOfSafeguards } from '../asm/safeguard.ts';
import type { Problem, Source } from '../asm/source.ts';
import { type Form, problemOf, readStatement, type Statement, Wrong } from './statement.ts';

/** Every word that a declaration begins with. */
const FORMS = {
  stack: {
    takes: ['NAME'],
    keys: { ist: 'one', level: 'one', sp0: 'flag', size: 'one', gap: 'one' },
    needs: ['size'],
  },
  gate: { takes: ['VECTOR', 'LABEL'], keys: { on: 'one', dpl: 'one', in: 'one' } },
  fred: { takes: ['LABEL'], keys: { redzone: 'one' } },
  event: { takes: ['VECTOR', 'LABEL'], keys: { on: 'one' } },
  record: { takes: ['NAME'], keys: { at: 'one', as: 'one' }, needs: ['at'] },
  word: { takes: ['INDEX', 'NAME'], keys: { field: 'one' } },
  registers: { takes: [], keys: { at: 'one' }, needs: ['at'] },
  start: {
    takes: ['NAME'],
    keys: {
      at: 'one',
      user: 'flag',
      earlier: 'one',
      begin: 'one',
      syscall: 'one',
      vendor: 'one',
      idle: 'one',
    },
    needs: ['at'],
  },
  body: { takes: ['NAME'], keys: { arms: 'one' }, needs: ['arms'] },
  label: { takes: ['again|nested|dies', 'LABEL'], keys: {} },
  fixup: { takes: ['LABEL', 'LANDING'], keys: { swapped: 'flag' } },
  exit: { takes: ['LABEL...'], keys: {} },
  promises: {
    takes: ['EVENT...'],
    keys: { bound: 'one', from: 'many', with: 'many', without: 'many', judge: 'many', right: 'flag' },
    needs: ['bound', 'from', 'with'],
  },
  breaks: {
    takes: ['EVENT...'],
    keys: {
      bound: 'one',
      from: 'many',
      with: 'many',
      without: 'many',
      judge: 'many',
      cured: 'many',
      right: 'flag',
    },
    needs: ['bound', 'from', 'with'],
  },
  dead: { takes: ['STACK|WORD'], keys: { but: 'many', below: 'flag', size: 'one', to: 'one' } },
  counter: { takes: ['WORD...'], keys: {} },
  absent: { takes: ['PLACE'], keys: { size: 'one', to: 'one' } },
  patchable: { takes: ['PLACE'], keys: { size: 'one', to: 'one' } },
  watched: { takes: ['PLACE'], keys: { size: 'one', to: 'one' } },
  isolated: { takes: ['PLACE...'], keys: {} },
  mm: { takes: ['LABEL...'], keys: { current: 'one' }, needs: ['current'] },
  intercepted: { takes: ['LABEL'], keys: { code: 'one' }, needs: ['code'] },
  processor: { takes: ['FEATURE...'], keys: {} },
} as const satisfies Readonly<Record<string, Form>>;
export type DeclaredWord = keyof typeof FORMS;

/** Words of which one said replaces the usual ones of all. Of labels, one replaces that of its meaning. */
const TOGETHER: readonly (readonly DeclaredWord[])[] = [
  ['stack'],
  ['gate', 'event'],
  ['record', 'word', 'registers'],
  ['start'],
  ['body'],
  ['dead'],
  ['counter'],
];

/** What is so unless a page says otherwise: the kernel of the 4.2 era, with the IST of 3.18 to 4.15. */
export const USUAL = [
  'stack #DF ist 1 size 0x1000',
  'stack NMI ist 2 size 0x1000',
  'stack #DB ist 3 size 0x2000',
  'stack #MC ist 4 size 0x1000',
  'gate 2 nmi on NMI',
  'gate 3 int3_entry on #DB dpl 3',
  'record original at -1',
  'word -6 saved-rdx field rdx',
  'word -7 executing',
  'record iret at -8',
  'record outermost at -13',
  'registers at -18',
  'start kernel-task at syscall_body earlier earlier begin task',
  'start user-task at user_task user earlier user_task begin user_task',
  'body int3 arms BREAKPOINT',
  'label again repeat_nmi',
  'label nested nested_nmi_out',
  'dead #DF',
  'dead NMI but executing',
  'dead #DB',
  'dead #MC',
  'dead TASK below',
  'dead NMI_CR2',
  'counter NMI_TICKS BP_HITS DB_HITS MC_HITS PF_HITS',
] as const;

const kindsOf = ({ word, values: [meaning] }: Declared): readonly string[] =>
  word === 'label' ? [`label ${meaning?.text}`] : (TOGETHER.find((words) => words.includes(word)) ?? [word]);

export interface Declared extends Statement {
  readonly word: DeclaredWord;
  /** Whether it is one of the usual ones: then what it names may be missing. */
  readonly usual: boolean;
}

const usual: readonly Declared[] = USUAL.map((text, n) => {
  const mark: Mark = { text, page: 'usual', line: n + 1, column: 1, textColumn: 1, behindCode: false };
  return { ...readStatement(mark, FORMS), word: text.split(' ')[0] as DeclaredWord, usual: true };
});

/** All that sources declare, in order, with what is usual where they say nothing; every mistake has its place. */
export function declared(sources: readonly Source[]): {
  readonly all: readonly Declared[];
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const said = sources.flatMap((source) =>
    marksOf(source).flatMap((mark): Declared[] => {
      if (isOfSafeguards(mark)) return [];
      try {
        const statement = readStatement(mark, FORMS);
        return [{ ...statement, word: statement.word as DeclaredWord, usual: false }];
      } catch (wrong) {
        if (!(wrong instanceof Wrong)) throw wrong;
        problems.push(problemOf(wrong));
        return [];
      }
    }),
  );
  const spoken = new Set(said.flatMap(kindsOf));
  // Where there is no NMI stack, no word lies at a fixed distance from its top.
  const stacks = said.filter(({ word }) => word === 'stack');
  if (stacks.length > 0 && !stacks.some(({ values: [name] }) => name?.text === 'NMI')) spoken.add('record');
  return {
    all: [...usual.filter((one) => !kindsOf(one).some((kind) => spoken.has(kind))), ...said],
    problems,
  };
}
