/** AT&T text as several writers have it: what is only another way to write the same is written alike. */
import { registerName, registerOf } from '../../src/isa/registers.ts';

const PREFIX = /^(?:(?:lock|rep[nz]?[ez]?|data16|addr32|[cdefgs]s|bnd|notrack|xacquire|xrelease|rex\S*) )+/;
/** Of the prefixes only LOCK says something that the operands do not; a repetition belongs to the name. */
function split(line: string): { readonly prefixes: readonly string[]; readonly rest: string } {
  const found = PREFIX.exec(line)?.[0] ?? '';
  return { prefixes: found.trim().split(' ').filter(Boolean), rest: line.slice(found.length) };
}

/** Names that other writers give the same thing: what to look for, and how it is written here. */
const SYNONYMS: readonly (readonly [RegExp, string])[] = [
  // A 32-bit address without registers.
  [/\(,%eiz(,\d)?\)/, ''],
  // Overrides that mean nothing in 64-bit mode; ours stand before the name.
  [/%[cdes]s:/, ''],
  // A scale of one and a displacement of zero go without saying.
  [/,1?\)/, ')'],
  [/\b0x0\(/, '('],
  // So does a shift count of one.
  [/^((?:sh|sa|ro|rc)[lr][bwlq]?) \$0x1,(?=[^,]*$|[^,]*\([^)]*\)$)/, '$1 '],
  [/%db(\d)/, '%dr$1'],
  [/^sal/, 'shl'],
  [/^(push|pop|call|jmp)q\b/, '$1'],
  [/^(lret|iret|sysexit)l\b/, '$1'],
  [/^(j\w+),p[nt]\b/, '$1'],
  [/^mov([sz])xw\b/, 'mov$1ww'],
  [/^(xlat) .*/, '$1'],
  [/^(imul[wlq]?) (\$[^,]+),([^,]+)$/, '$1 $2,$3,$3'],
  [/^crc32[bwlq] %/, 'crc32 %'],
  [/\(%dx\)/, '%dx'],
  // A hint has one operand or two.
  [/^nop[wlq]? (?:%\w+,)?(?=.)/, 'nop '],
  // Operands that are always the same.
  [/^(monitorx?|mwaitx?) .*/, '$1'],
  // Memory holds 16 bits whatever the prefixes say.
  [/^(str|sldt|smsw)[wlq]\b/, '$1'],
];

const STRING = /^(movs|stos|lods|cmps|scas|ins|outs)([bwlq]?)\b/;
const ACCUMULATOR = [/%al\b/, /%ax\b/, /%eax\b/, /%rax\b/];

/** A string instruction: its operands are fixed, but for their width and the segment of the source. */
function stringText(name: string, width: string, text: string, prefixes: readonly string[]): string {
  const repeat = prefixes.findLast((one) => one.startsWith('rep'));
  const segment = /%([fg]s):/.exec(text)?.[1] ?? prefixes.findLast((one) => /^[fg]s$/.test(one));
  const short = prefixes.includes('addr32') || /%e[sd]i/.test(text) ? 'addr32 ' : '';
  const size = width || ('bwlq'[ACCUMULATOR.findIndex((one) => one.test(text))] ?? '');
  // Where nothing is compared, REPE is REP.
  const repeated = repeat === undefined ? '' : /ne|nz/.test(repeat) ? 'repne ' : 'rep ';
  return `${short}${repeated}${segment ? `${segment} ` : ''}${name}${size}`;
}

/** A selector is 16 bits of a register, by whatever name. */
const selector = (text: string): string =>
  /^(lsl|lar|verr|verw|lldt|ltr|lmsw|lkgs) |^mov .*%[cdefgs]s$/.test(text)
    ? text.replace(/%(\w+)/, (whole, name) => {
        const found = registerOf(name);
        return found === undefined ? whole : `%${registerName(64, found.register)}`;
      })
    : text;

export function alike(line: string): string {
  const { prefixes, rest } = split(line);
  const text = SYNONYMS.reduce((known, [from, to]) => known.replace(from, to), rest);
  const lock = prefixes.includes('lock') ? 'lock ' : '';
  const [, name, width] = STRING.exec(text) ?? [];
  if (name !== undefined) return lock + stringText(name, width ?? '', text, prefixes);
  return lock + selector(text).trim();
}
