/** The text editor for assembly. Fetched with the first edit: it weighs more than the rest of the island. */
import { autocompletion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { EditorState, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Problem } from '../../asm/source.ts';

/** AT&T syntax, as far as looks go: the assembler says what it means. */
const att = StreamLanguage.define<{ readonly first: boolean }>({
  name: 'att',
  startState: () => ({ first: true }),
  token(stream, state) {
    const head = state as { first: boolean };
    if (stream.sol()) head.first = true;
    if (stream.eatSpace()) return null;
    if (stream.match(/^#:.*/)) return 'meta';
    if (stream.match(/^#.*/)) return 'comment';
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
    if (stream.match(/^[\w.$]+:/)) return 'labelName';
    if (stream.match(/^;/)) {
      head.first = true;
      return null;
    }
    if (stream.match(/^%\w+/)) return 'variableName';
    if (stream.match(/^\$?-?(?:0x[\da-f]+|\d+)\b/i)) return 'number';
    if (stream.match(/^\.\w+/)) {
      head.first = false;
      return 'keyword';
    }
    if (stream.match(/^[A-Za-z_]\w*/)) {
      const mnemonic = head.first;
      head.first = false;
      return mnemonic ? 'operatorKeyword' : null;
    }
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '#' } },
});

/** Weight and greys: hue is kept for records and verdicts. */
const looks = HighlightStyle.define([
  { tag: [tags.comment, tags.meta], color: 'var(--ink-3)' },
  { tag: [tags.string, tags.number, tags.keyword], color: 'var(--ink-2)' },
  { tag: [tags.labelName, tags.operatorKeyword], fontWeight: '700' },
]);

const mark = StateEffect.define<readonly Problem[]>();
/** A wavy line from a problem's place to the end of its line. */
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const builder = new RangeSetBuilder<Decoration>();
      const { doc } = transaction.state;
      for (const { line, column, message } of [...effect.value].sort(
        (a, b) => a.line - b.line || a.column - b.column,
      )) {
        if (line < 1 || line > doc.lines) continue;
        const { from, to } = doc.line(line);
        const at = Math.min(to, from + column - 1);
        const begin = at < to ? at : from;
        if (begin < to)
          builder.add(begin, to, Decoration.mark({ class: 'wrong-here', attributes: { title: message } }));
      }
      now = builder.finish();
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export interface Words {
  readonly labels: readonly string[];
  readonly mnemonics: readonly string[];
}

/** Labels and mnemonics that begin as what was typed. */
const complete = (words: () => Words) => (context: CompletionContext) => {
  const word = context.matchBefore(/[\w.]+/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const before = context.state.doc
    .lineAt(word.from)
    .text.slice(0, word.from - context.state.doc.lineAt(word.from).from);
  if (before.includes('#') || before.endsWith('%')) return null;
  const first = /^\s*(?:[\w.$]+:)?\s*$/.test(before);
  const { labels, mnemonics } = words();
  return {
    from: word.from,
    options: first
      ? mnemonics.map((label) => ({ label, type: 'keyword' }))
      : labels.map((label) => ({ label, type: 'function' })),
    validFor: /^[\w.]*$/,
  };
};

export interface CodeEditor {
  readonly show: (text: string) => void;
  /** Shows another text: what was done to the one before cannot be undone into it. */
  readonly open: (text: string) => void;
  readonly problems: (problems: readonly Problem[]) => void;
  /** Puts the caret at a place, counted from 1, and the focus into the editor. */
  readonly goTo: (line: number, column: number) => void;
  readonly destroy: () => void;
}

/** An editor in an element. Tab indents; Escape and then Tab leaves. */
export function createCodeEditor(
  parent: HTMLElement,
  options: {
    readonly text: string;
    readonly label: string;
    readonly words: () => Words;
    readonly onType: (text: string) => void;
    readonly onRun: () => void;
  },
): CodeEditor {
  let quiet = false;
  const begin = (doc: string): EditorState =>
    EditorState.create({
      doc,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        att,
        syntaxHighlighting(looks),
        marked,
        autocompletion({ override: [complete(options.words)], icons: false }),
        EditorState.tabSize.of(8),
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !quiet) options.onType(update.state.doc.toString());
        }),
        keymap.of([
          {
            key: 'Mod-Enter',
            run() {
              options.onRun();
              return true;
            },
          },
          ...completionKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
      ],
    });
  const view = new EditorView({ parent, state: begin(options.text) });
  return {
    open: (text) => view.setState(begin(text)),
    show(text) {
      if (view.state.doc.toString() === text) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      quiet = false;
    },
    problems(problems) {
      view.dispatch({ effects: mark.of(problems) });
    },
    goTo(line, column) {
      const { from, to } = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      view.dispatch({ selection: { anchor: Math.min(to, from + column - 1) }, scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
