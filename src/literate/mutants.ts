import ts from 'typescript';
import { parse } from '../scenario/recipe.ts';
import type { Claim } from '../scenario/recipe-types.ts';
import type { Page } from './scan.ts';
import { inVitest, tangle } from './tangle.ts';

/** A page with one expected value changed or deleted. */
export interface Mutant {
  readonly line: number;
  readonly column: number;
  /** What was done, for people: `55 -> 56`. */
  readonly change: string;
  readonly text: string;
}

interface Edit {
  readonly line: number;
  readonly column: number;
  readonly old: string;
  readonly new: string;
}

/** Every expected value of a page, changed and deleted in turn: matcher arguments, claims, `expect` lines. */
export function mutantsOf(page: Page): Mutant[] {
  const whole = page.lines.join('\n');
  return [...inCode(page), ...inClaims(page), ...inScenarios(page)].map((edit) => {
    const { line, column } = edit;
    const start = page.lines.slice(0, line - 1).join('\n').length + column - (line > 1 ? 0 : 1);
    const lost = '\n'.repeat(edit.old.split('\n').length - 1); // later lines keep their numbers
    const text = whole.slice(0, start) + edit.new + lost + whole.slice(start + edit.old.length);
    return { line, column, change: `${edit.old} -> ${edit.new || '(nothing)'}`, text };
  });
}

/** Matcher arguments, found in the tangled module: it has the page's lines and columns. */
function inCode(page: Page): Edit[] {
  const source = ts.createSourceFile(
    'page.ts',
    tangle(page, inVitest(page.path)),
    ts.ScriptTarget.ESNext,
    true,
  );
  const edits: Edit[] = [];
  const add = (node: ts.Node, ...texts: string[]) => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart());
    const old = node.getText();
    for (const text of texts) edits.push({ line: line + 1, column: character + 1, old, new: text });
  };
  const cellAt = (node: ts.Node) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    return page.cells.find((cell) => cell.open < line && line < cell.close);
  };
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    const cell = cellAt(node);
    if (!cell || !ts.isCallExpression(node) || !isMatcher(node.expression)) return;
    const [expected] = node.arguments;
    // A wrong value in a cell that has to fail still fails; only losing the expectation shows.
    if (cell.kind === 'fails') add(node, 'void 0');
    else if (expected) add(expected, changed(expected), '');
    else add(node.expression.name, `not.${node.expression.name.text}`);
  };
  visit(source);
  return edits;
}

/** `expect(...).toBe` and `expect(...).not.toBe`. */
function isMatcher(node: ts.Node): node is ts.PropertyAccessExpression {
  if (!ts.isPropertyAccessExpression(node)) return false;
  const { expression } = node;
  if (ts.isPropertyAccessExpression(expression)) return isMatcher(expression);
  return ts.isCallExpression(expression) && expression.expression.getText() === 'expect';
}

function changed(node: ts.Node): string {
  const text = node.getText();
  if (ts.isNumericLiteral(node)) return String(Number(node.text) + 1);
  if (ts.isBigIntLiteral(node)) return `(${text} + 1n)`;
  if (ts.isStringLiteralLike(node)) return `${text.slice(0, -1)}~${text.slice(-1)}`;
  if (text === 'true') return 'false';
  if (text === 'false') return 'true';
  return `Symbol('other')`;
}

const inClaims = (page: Page): Edit[] =>
  page.claims.flatMap(({ line, textColumn: column, text }) =>
    [other(text), ''].map((next) => ({ line, column, old: text, new: next })),
  );

const inScenarios = (page: Page): Edit[] =>
  page.cells.flatMap((cell) => {
    if (cell.kind !== 'scenario') return [];
    const { recipe } = parse({ page: page.path, name: cell.name, line: cell.open + 1, lines: cell.lines });
    return (recipe?.expects ?? []).flatMap((claim) => {
      const at = claim.valueAt;
      const [old] = at
        ? (/^("[^"]*"|\S+)/.exec((page.lines[at.line - 1] ?? '').slice(at.column - 1)) ?? [])
        : [];
      if (!at || !old) return [];
      return [another(claim, old), ''].map((next) => ({ line: at.line, column: at.column, old, new: next }));
    });
  });

/** A value of the same kind that the run cannot show as well. */
function another(claim: Claim, old: string): string {
  switch (claim.kind) {
    case 'verdict':
      return old === 'lost' ? 'returns' : 'lost';
    case 'unwind':
      return old === 'right' ? 'wrong-silently' : 'right';
    case 'latch':
      return old === 'yes' ? 'no' : 'yes';
    case 'count':
      return String(claim.n + 1);
    case 'reg':
    case 'word':
      return old === 'T-8' ? 'T-16' : 'T-8';
    default:
      return other(old);
  }
}

/** The same text with its last digit or letter replaced. */
const other = (text: string): string =>
  text.replace(/[\da-z](?=[^\da-z]*$)/i, (last) => (last === '1' ? '2' : '1'));
