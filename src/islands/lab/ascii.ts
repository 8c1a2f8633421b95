/** A boundary as plain text for a mail: ASCII, 72 columns at most. Pure. */
import type { Frame, Timeline } from '../../scenario/timeline.ts';
import { halves, JUDGEMENTS, latchText, plain, sentenceOf } from './words.ts';

const COLUMNS = 72;

/** Glyphs of the visual language in ASCII. */
const GROUP: Readonly<Record<string, string>> = {
  original: 'or',
  iret: 'ir',
  outermost: 'ou',
  kept: '--',
  regs: 'rg',
};
const BY: Readonly<Record<string, string>> = { hardware: 'hw', software: 'sw', earlier: '  ' };

const ascii = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of ascii(text).split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The state of a boundary: where it is, what happened, the words, the truth and every verdict. */
export function asciiOf(
  timeline: Pick<Timeline, 'slug' | 'version' | 'design' | 'steps' | 'rules'>,
  frame: Frame,
): string {
  const { slug, version, design, steps, rules } = timeline;
  const step = steps.findLast(({ boundary }) => boundary <= frame.boundary);
  const words = frame.words
    .filter(({ group }) => group !== 'regs')
    .map(({ index, group, field, value, meaning, author, changed }) =>
      [
        frame.stack.depth === -index ? '>' : changed ? '*' : ' ',
        GROUP[group] ?? '  ',
        String(index).padStart(4),
        field.padEnd(9).slice(0, 9),
        halves(value).join(' '),
        BY[author.kind],
        meaning,
      ].join(' '),
    );
  return [
    ...wrapped(`${slug} v${version} on ${design}, boundary ${frame.boundary}, at ${frame.at}`),
    ...wrapped(plain(sentenceOf(frame, step))),
    '',
    ...wrapped(`RSP ${frame.stack.text}; flags ${frame.flags}; NMIs ${latchText(frame.latch)}`),
    '',
    ...words,
    '',
    'truth:',
    ...frame.truth.map(({ text, stack }) => `  ${text} <${stack}>`),
    '',
    ...frame.verdicts.map(({ unwinder, judgement }) => {
      const name = rules.find(({ id }) => id === unwinder)?.name ?? unwinder;
      return `${name.padEnd(14)} ${JUDGEMENTS[judgement].text}`;
    }),
    '',
  ]
    .map((line) => ascii(line).slice(0, COLUMNS).trimEnd())
    .join('\n');
}
