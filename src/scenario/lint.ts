/** The text of a mail or a changelog, read as a maintainer would; see lint-rules.ts for what is looked at and why. */
import { kindOf, type LintContext, type LintLine, RULES } from './lint-rules.ts';

export interface Finding {
  /** Name of the rule: `columns`. */
  readonly rule: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** One sentence, lower case. */
  readonly sentence: string;
  /** Document and section of the handbook, or the check of checkpatch.pl. */
  readonly source: string;
}

export interface LintOptions {
  /** Widest line that is no tag; 75 as for changelogs. */
  readonly columns?: number;
}

/** Longest text that is looked at. */
const LONGEST = 65_536;
/** Longest line that rules see; what is behind is only counted. */
const LONGEST_LINE = 2_000;

/**
 * Everything that a maintainer would object to, in the order of the text. Quoted lines are somebody else's, and lines of
 * a patch (from `---` or `diff` on) none of its business. Never throws; time is linear in the text.
 */
export function lint(text: string, { columns = 75 }: LintOptions = {}): readonly Finding[] {
  if (text.length > LONGEST) {
    const sentence = `the text has ${text.length} characters; at most ${LONGEST} are read`;
    return [{ rule: 'length', line: 1, column: 1, sentence, source: 'this linter' }];
  }
  const all = text.split(/\r?\n/);
  const end = all.findIndex((line) => line === '---' || /^diff --git /.test(line));
  const lines = linesOf(end < 0 ? all : all.slice(0, end));
  const context: LintContext = { columns, explains: explanations(lines) };
  return lines
    .filter(({ text }) => text !== '' && !text.startsWith('>'))
    .flatMap((line) =>
      RULES.flatMap(({ name, source, check }) =>
        check(line, context).map(({ column, sentence }) => ({
          rule: name,
          line: line.number,
          column,
          sentence,
          source,
        })),
      ),
    )
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function linesOf(texts: readonly string[]): readonly LintLine[] {
  return texts.map((whole, n) => {
    const text = whole.slice(0, LONGEST_LINE);
    return {
      text,
      length: whole.length,
      number: n + 1,
      kind: kindOf(text),
      above: texts[n - 1] ?? '',
      below: texts[n + 1] ?? '',
    };
  });
}

/** Words that say that there is something behind a link. */
const ADDS =
  /\b(?:links?|replays?|threads?|discuss(?:ed|ion)|report(?:ed|s)?|background|archived?|documented)\b/i;

/** A numbered link is explained where its number stands in prose; another one where prose speaks of what is behind it. */
function explanations(lines: readonly LintLine[]): LintContext['explains'] {
  const prose = lines.filter(({ kind, text }) => kind === 'prose' && !/^\s*\[\d+\]:?\s+http/.test(text));
  const numbers = new Set(prose.flatMap(({ text }) => text.match(/\[\d+\]/g) ?? []));
  const spoken = prose.some(({ text }) => ADDS.test(text));
  return (marker) => (marker === undefined ? spoken : numbers.has(marker));
}

/** `mail.txt:3:76: the line has 80 columns (...) [submitting-patches.rst, ...]`. */
export const findingText = (name: string, { line, column, sentence, source }: Finding): string =>
  `${name}:${line}:${column}: ${sentence} [${source}]`;
