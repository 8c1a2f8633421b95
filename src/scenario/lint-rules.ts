/**
 * What maintainers object to in the text of a mail or a changelog, rule by rule. Read as of Linux 6.x: Documentation/process/
 * submitting-patches.rst, maintainer-tip.rst and email-clients.rst, and the checks of scripts/checkpatch.pl by their names.
 */

/** A line and what is known of it. */
export interface LintLine {
  readonly text: string;
  /** Columns of the whole line; `text` ends early where that is absurdly long. */
  readonly length: number;
  /** From 1. */
  readonly number: number;
  /** `tag`: `Link: ...` and its kin. `indented`: tables, traces, recipes, code. `log`: a line of a kernel log. */
  readonly kind: 'prose' | 'tag' | 'indented' | 'log' | 'empty';
  /** The line above, empty for the first. */
  readonly above: string;
  readonly below: string;
}

export interface Hit {
  /** From 1. */
  readonly column: number;
  readonly sentence: string;
}

export interface LintRule {
  readonly name: string;
  /** Document and section, or the check of checkpatch.pl. */
  readonly source: string;
  readonly check: (line: LintLine, context: LintContext) => readonly Hit[];
}

export interface LintContext {
  readonly columns: number;
  /** Whether the prose says what link number `[n]`, or the links as such, are good for. */
  readonly explains: (marker: string | undefined) => boolean;
}

const PATCHES = 'Documentation/process/submitting-patches.rst';
const TIP = 'Documentation/process/maintainer-tip.rst';
const CLIENTS = 'Documentation/process/email-clients.rst';
const CHECKPATCH = 'scripts/checkpatch.pl';

const BACKTRACES = `${PATCHES}, "Backtraces in commit messages"`;
const DESCRIBE = `${PATCHES}, "Describe your changes"`;

/** Tags that people sign with, as checkpatch lists them, and those that name a commit or an address. */
const TAGS =
  /^(?:(?:Signed-off|Co-developed|Acked|Tested|Reviewed|Reported|Suggested|Originally)-by|To|Cc|Fixes|Link|Closes):\s/i;
const TIME_STAMP = /^\s*(?:<\d>)?\[\s*\d+\.\d{6}\s*\](?:\[\s*[CT]\d+\s*\])?/;
const URL = /https?:\/\/[^\s<>"]+/;

/** Names that are surely none of a function, and words that say what a name is. */
const NO_FUNCTION = /^x86_\d+$|_(?:t|struct|regs|ops)$/;
const SAYS_WHAT =
  /\b(?:struct|enum|union|label|symbol|variable|field|member|macro|section|parameter|option)$/;

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text);

/** Every match of a pattern, told by `say`. The pattern must be global. */
const each = (text: string, pattern: RegExp, say: (match: RegExpMatchArray) => string | undefined): Hit[] =>
  [...text.matchAll(pattern)].flatMap((match) => {
    const sentence = say(match);
    return sentence === undefined ? [] : [{ column: match.index + 1, sentence }];
  });

const once = (text: string, pattern: RegExp, sentence: string): Hit[] => {
  const match = pattern.exec(text);
  return match ? [{ column: match.index + 1, sentence }] : [];
};

/** What a line is, by itself: `readLint` adds what its neighbours tell. */
export function kindOf(text: string): LintLine['kind'] {
  if (!text.trim()) return 'empty';
  if (TAGS.test(text)) return 'tag';
  if (TIME_STAMP.test(text) || /^\s*\[<[\da-f]{8,}>\]/i.test(text)) return 'log';
  return /^(?:\s{2,}|\t)/.test(text) ? 'indented' : 'prose';
}

export const RULES: readonly LintRule[] = [
  {
    name: 'columns',
    source: `${PATCHES}, "The canonical patch format"; ${CHECKPATCH}, COMMIT_LOG_LONG_LINE`,
    check: ({ length, kind }, { columns }) =>
      length > columns && kind !== 'tag' && kind !== 'log'
        ? [
            {
              column: columns + 1,
              sentence: `the line has ${length} columns (at most ${columns}; only tags may be longer)`,
            },
          ]
        : [],
  },
  {
    name: 'ascii',
    source: `${CLIENTS}, "Gmail (Web GUI)"`,
    check: ({ text }) =>
      once(
        text,
        /[^\t -~]/u,
        `the character U+${(/[^\t -~]/u.exec(text)?.[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')} is not ASCII: some mailers encode the whole mail because of it`,
      ),
  },
  {
    name: 'tabs',
    source: `${CLIENTS}, "Gmail (Web GUI)"`,
    check: ({ text }) => once(text, /\t/, 'a tab: some mailers turn it into spaces, and a table falls apart'),
  },
  {
    name: 'time-stamp',
    source: BACKTRACES,
    check: ({ text }) =>
      once(text, /\[\s*\d+\.\d{6}\s*\]/, 'a time stamp of the kernel log distracts; leave it out'),
  },
  {
    name: 'registers',
    source: BACKTRACES,
    check: ({ text }) =>
      once(
        text,
        /\b(?:R(?:AX|BX|CX|DX|SI|DI|BP|08|09|1[0-5])|E?FLAGS|CR[0-4]|DR[0-7]|[FG]S|CS):\s*[\da-f]{4,}|\bCode: (?:[\da-f]{2} ){4}|^\s*(?:Stack:\s*)?(?:[\da-f]{16} ){2}/i,
        'a dump of registers, code bytes or stack words distracts; keep the call trace and leave it out',
      ),
  },
  {
    name: 'modules',
    source: BACKTRACES,
    check: ({ text }) => once(text, /\bModules linked in:/, 'a list of modules distracts; leave it out'),
  },
  {
    name: 'addresses',
    source: BACKTRACES,
    check: ({ text }) =>
      once(
        text,
        /\[<[\da-f]{8,16}>\]/i,
        'an address means nothing in another build; the name of the function says enough',
      ),
  },
  {
    name: 'brackets',
    source: `${TIP}, "Function references in changelogs"`,
    check: ({ text, kind }) =>
      kind !== 'prose'
        ? []
        : each(
            text.replace(/https?:\/\/\S+/g, (url) => ' '.repeat(url.length)),
            /(?<![\w$/.@#"'`<-])[a-z][a-z\d]*(?:_[a-z\d]+)+(?![\w(/@+\]]|[.-]\w)/g,
            ({ 0: name, index = 0 }) =>
              NO_FUNCTION.test(name) || SAYS_WHAT.test(text.slice(0, index).trimEnd())
                ? undefined
                : `if ${short(name)} is a function, write ${short(name)}()`,
          ),
  },
  {
    name: 'unknown-tag',
    source: `${CHECKPATCH}, COMMIT_LOG_USE_LINK`,
    check: ({ text }) => {
      const tag = /^\s*(\w+):\s*http/.exec(text)?.[1];
      return tag === undefined || tag === 'Link' || tag === 'Closes'
        ? []
        : [
            {
              column: 1 + text.search(/\S/),
              sentence: `no tag is called ${short(tag)}:; an address goes behind Link: or Closes:`,
            },
          ];
    },
  },
  {
    name: 'wrong-link',
    source: `${CHECKPATCH}, COMMIT_LOG_WRONG_LINK`,
    check: ({ text }) =>
      once(
        text,
        /^\s*(?:Link|Closes):\s*(?!https?:\/\/)\S/,
        'a Link: or Closes: tag needs a public http address',
      ),
  },
  {
    name: 'link-adds-nothing',
    source: `${DESCRIBE}`,
    check: ({ text }, { explains }) => {
      const { tag, number } =
        /^(?<tag>Link:)\s*https?:\/\/\S+\s*(?:#\s*)?(?<number>\[\d+\])?/.exec(text)?.groups ?? {};
      const footnote = /^\s*(\[\d+\]):?\s+https?:/.exec(text)?.[1];
      const marker = number ?? footnote;
      if ((tag === undefined && footnote === undefined) || explains(marker)) return [];
      const which = marker === undefined ? 'the link' : `link ${marker}`;
      return [
        {
          column: 1 + text.search(/\S/),
          sentence: `nothing in the text says what ${which} adds; a reader without it must understand the change`,
        },
      ];
    },
  },
  {
    name: 'commit-id',
    source: `${DESCRIBE}; ${CHECKPATCH}, GIT_COMMIT_ID`,
    check: ({ text, below }) => {
      if (/^\s*(?:Fixes|Link|Closes|https?|base-commit):/i.test(text) || /^This reverts commit /.test(text))
        return [];
      const both = `${text} ${below.trim()}`;
      return each(text, /(?<![\w<[./#~-])[\da-f]{12,40}(?![\w>\]/-]|\.\w)/g, ({ 0: id, index = 0 }) =>
        (!/[a-f]/.test(id) && !/commit$/i.test(text.slice(0, index).trimEnd())) ||
        /^\s*\(["']/.test(both.slice(index + id.length))
          ? undefined
          : `the commit id ${id.slice(0, 12)} needs its title: ${id.slice(0, 12)} ("subsystem: title")`,
      );
    },
  },
  {
    name: 'short-commit-id',
    source: `${DESCRIBE}; ${CHECKPATCH}, GIT_COMMIT_ID`,
    check: ({ text }) =>
      each(
        text,
        /\b(?:[Cc]ommit|Fixes:)\s+([\da-f]{5,11})\b/g,
        ({ 1: id }) => `the commit id ${id} is too short: 12 digits at least`,
      ),
  },
  {
    name: 'fixes-title',
    source: `${DESCRIBE}`,
    check: ({ text }) =>
      once(
        text,
        /^Fixes:\s+[\da-f]{12,40}\s*$/,
        'a Fixes: tag has the title of the commit behind its id, in one line',
      ),
  },
  {
    name: 'address-end',
    source: `${DESCRIBE} (check that the link works)`,
    check: ({ text }) => {
      const url = URL.exec(text);
      if (!url) return [];
      let end = url[0].length;
      while (/[^\w/#-]/.test(url[0].charAt(end - 1))) end--;
      const mark = url[0].charAt(end);
      // A bracket that was opened inside belongs to the address.
      if (mark === '' || (mark === ')' && url[0].includes('('))) return [];
      return [
        {
          column: url.index + end + 1,
          sentence: `${mark} at the end of an address: programs take it for a part of it`,
        },
      ];
    },
  },
  {
    name: 'archive',
    source: `${TIP}, "Ordering of commit tags"; ${CHECKPATCH}, PREFER_LORE_ARCHIVE`,
    check: ({ text }) =>
      once(
        text,
        /https?:\/\/\S*\b(?:lkml\.org|marc\.info|spinics\.net|mail-archive\.com|lists\.infradead\.org)\b/,
        'an archive that may go away; use https://lore.kernel.org/r/ and the message id',
      ),
  },
  {
    name: 'mood',
    source: DESCRIBE,
    check: ({ text, kind, above }) =>
      kind === 'prose'
        ? [
            ...once(
              text,
              /\b[Tt]his (?:patch|commit)\b/,
              'give the code an order instead of a report on the patch',
            ),
            ...(above.trim()
              ? []
              : once(text, /^(?:I|We) /, 'give the code an order instead of a report on what you did')),
          ]
        : [],
  },
  {
    name: 'comment-line',
    source: `${CHECKPATCH}, COMMIT_COMMENT_SYMBOL`,
    check: ({ text }) => once(text, /^#/, 'git drops a line that starts with # as a comment'),
  },
  {
    name: 'trailing-space',
    source: `${CLIENTS}, "General Preferences"`,
    check: ({ text }) =>
      text.trimEnd() === text
        ? []
        : [
            {
              column: text.trimEnd().length + 1,
              sentence: 'white space at the end of a line does not survive every mailer',
            },
          ],
  },
];
