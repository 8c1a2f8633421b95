/**
 * What a reader asks of a sweep, in the address: `#sweep.e_nmi_nmi.g_latch-opens-early.s_kernel-task.h_int3.w_test-b`. The
 * letters are those of links to runs where there is one: `w` a safeguard taken away, `h` the handler's body. `e` are the
 * events, `u` the unwinder that is judged (`u_orc-6-12`, since a dot ends a part), `g` the scenario whose own events strike in any case, `s` the start, `x` the impossible ones too.
 */
import type { SweepAsk } from '../../explore/sweep.ts';
import { type Choices, MOST_EVENTS } from './state.ts';

const PREFIX = 'sweep';

/** Whether a fragment, with or without `#`, is of this kind. */
export const isOfSweep = (fragment: string): boolean => fragment.replace(/^#/, '').split('.')[0] === PREFIX;

/** The fragment of an ask, without `#`. */
export function fragmentOf(ask: SweepAsk, { bases }: Choices): string {
  const { events, given = [], starts = [], bodies = [], without = [], anywhere, judge = [] } = ask;
  const base = bases.find((one) => one.given.join() === given.join() && one.start === starts[0]);
  return [
    PREFIX,
    ['e', ...events].join('_'),
    ...(base && given.length > 0 ? [`g_${base.slug}`] : []),
    ...starts.map((name) => `s_${name}`),
    ...bodies.map((name) => `h_${name}`),
    ...without.map((name) => `w_${name}`),
    ...judge.slice(0, 1).map((name) => `u_${dotless(name)}`),
    ...(anywhere ? ['x'] : []),
  ].join('.');
}

/**
 * Reads a fragment. Without `g` nothing strikes in any case, without `w` and `x` every safeguard and every cause is there;
 * what else it does not say is as the page was built. What is not understood is named.
 *
 * @param built the ask of the page
 */
export function readSweepFragment(
  fragment: string,
  built: SweepAsk,
  choices: Choices,
): SweepAsk | { readonly problem: string } {
  const [, ...parts] = fragment.replace(/^#/, '').split('.');
  const said = new Map<string, string[]>();
  for (const part of parts) {
    const [letter = '', ...names] = part.split('_');
    const rule = RULES.get(letter);
    if (!rule) return { problem: `unknown part: ${shown(part)} (there is ${[...RULES.keys()].join(', ')})` };
    if (letter === 'x' ? names.length > 0 : names.length === 0 || names.includes(''))
      return { problem: `invalid part: ${shown(part)} (${rule.form})` };
    if (said.has(letter) && letter !== 'w') return { problem: `duplicate part: ${shown(part)}` };
    if (letter !== 'e' && names.length > 1) return { problem: `invalid part: ${shown(part)} (${rule.form})` };
    const known = rule.names(choices);
    const stranger = names.find((name) => !known.includes(name));
    if (stranger !== undefined)
      return { problem: `unknown ${rule.what}: ${shown(stranger)} (there is ${known.join(', ')})` };
    said.set(letter, [...(said.get(letter) ?? []), ...names]);
  }
  const events = said.get('e') ?? built.events;
  if (events.length > MOST_EVENTS)
    return { problem: `invalid events: ${events.length} (1 to ${MOST_EVENTS})` };
  const base = choices.bases.find(({ slug }) => slug === said.get('g')?.[0]);
  const starts = said.get('s') ?? (base ? [base.start] : built.starts);
  if (base && starts?.[0] !== base.start)
    return { problem: `invalid start: ${shown(starts?.[0] ?? '')} (${base.slug} begins in ${base.start})` };
  const without = choices.safeguards.map(({ name }) => name).filter((name) => said.get('w')?.includes(name));
  const bodies = said.get('h') ?? (base ? [base.body] : built.bodies);
  return {
    ...built,
    events,
    given: base?.given ?? [],
    without,
    ...(starts && { starts }),
    ...(bodies && { bodies }),
    ...(built.judge || said.has('u')
      ? { judge: choices.unwinders.filter((name) => said.get('u')?.includes(dotless(name))) }
      : {}),
    ...(said.has('x') ? { anywhere: true } : {}),
  };
}

const dotless = (name: string): string => name.replaceAll('.', '-');

interface Rule {
  readonly what: string;
  readonly form: string;
  readonly names: (choices: Choices) => readonly string[];
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['e', { what: 'event', form: 'e_EVENT_EVENT', names: ({ kinds }) => kinds.map(({ event }) => event) }],
  ['g', { what: 'scenario', form: 'g_SCENARIO', names: ({ bases }) => bases.map(({ slug }) => slug) }],
  ['s', { what: 'start', form: 's_START', names: ({ starts }) => starts }],
  ['h', { what: 'body', form: 'h_BODY', names: ({ bodies }) => bodies }],
  [
    'w',
    { what: 'safeguard', form: 'w_SAFEGUARD', names: ({ safeguards }) => safeguards.map(({ name }) => name) },
  ],
  [
    'u',
    {
      what: 'unwinder',
      form: 'u_UNWINDER',
      names: ({ unwinders }) => unwinders.map(dotless),
    },
  ],
  ['x', { what: 'mode', form: 'x', names: () => [] }],
]);

/** So much of a reader's text is repeated. */
const SHOWN = 40;
const shown = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text || 'empty';
