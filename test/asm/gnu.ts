/** Cases with what GNU as and ld 2.40 made of them: a title, text, and bytes and symbols recorded once. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../../src/asm/assemble.ts';

/** Where the sections of every case go: kernel text, kernel data, user text. */
export const sections: Options['sections'] = [
  {
    name: '.text',
    address: 0xffffffff81000000n,
    writable: false,
    executable: true,
    user: false,
    limit: 65536,
  },
  {
    name: '.entry.text',
    address: 0xffffffff81800000n,
    writable: false,
    executable: true,
    user: false,
    limit: 65536,
  },
  {
    name: '.data',
    address: 0xffffffff82000000n,
    writable: true,
    executable: false,
    user: false,
    limit: 65536,
  },
  { name: '.user', address: 0x400000n, writable: false, executable: true, user: true, limit: 4096 },
];
export const symbols = { KERNEL_CS: 0x10n, USER_CS: 0x33n };

export interface Case {
  readonly title: string;
  readonly source: readonly string[];
  /** `.text 90c3`, `entry = ffffffff81000000`, one a line. */
  readonly made: readonly string[];
}

export const FILE = new URL('gnu.txt', import.meta.url);

/** A case is `== title`, its source, and lines that begin with `=> `. */
export function readCases(): readonly Case[] {
  return readFileSync(FILE, 'utf8')
    .split(/^== /m)
    .slice(1)
    .map((text) => {
      const [title = '', ...lines] = text.trimEnd().split('\n');
      const made = lines.filter((line) => line.startsWith('=> ')).map((line) => line.slice(3));
      return { title, source: lines.filter((line) => !line.startsWith('=> ')), made };
    });
}

/** Asks GNU as and ld, and writes the file anew. Needs binutils; `RECORD=1 vitest run test/asm/gnu.test.ts` does it. */
export function record(): void {
  const text = readCases().map(({ title, source }) => {
    const made = ask(source.join('\n')).map((line) => `=> ${line}`);
    return `== ${title}\n${source.join('\n')}\n${made.join('\n')}\n`;
  });
  writeFileSync(FILE, text.join('\n'));
}

/** What GNU as and ld make of a text, in the form of `Case.made`. */
export function ask(source: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gnu-as-'));
  const run = (program: string, ...given: string[]): string =>
    execFileSync(program, given, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    // GNU as knows no rights but those of the directive; ours come from the caller.
    const flags: Record<string, string> = { '.entry.text': 'ax', '.user': 'ax' };
    const flagged = source.replace(
      /(\.(?:push)?section +)(\.[\w.]+)(?=\s*$)/gm,
      (whole, word: string, name: string) => (flags[name] ? `${word}${name},"${flags[name]}"` : whole),
    );
    writeFileSync(join(folder, 'a.s'), `${flagged}\n`);
    const outside = Object.entries(symbols).flatMap(([name, value]) => ['--defsym', `${name}=${value}`]);
    run('as', ...outside, '-o', 'a.o', 'a.s');
    const places = sections.map(({ name, address }) => `--section-start=${name}=0x${address.toString(16)}`);
    run('ld', '-e', '0', '--no-warn-rwx-segments', ...places, '-o', 'a.out', 'a.o');
    const bytes = sections.flatMap(({ name }) => {
      run('objcopy', '-O', 'binary', '-j', name, 'a.out', 'a.bin');
      const hex = readFileSync(join(folder, 'a.bin')).toString('hex');
      return hex === '' ? [] : [`${name} ${hex}`];
    });
    const defined = [...run('nm', 'a.out').matchAll(/^([0-9a-f]{16}) [tTdD] (\S+)$/gm)]
      .filter(([, , name = '']) => !/^(__bss_start|_edata|_end)$/.test(name))
      .map(([, address, name]) => `${name} = ${address}`)
      .sort();
    return [...bytes, ...defined];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
