import { expect, test } from 'vitest';
import { assemble, type Options } from '../../src/asm/assemble.ts';
import { problemText } from '../../src/asm/source.ts';
import { readCases, record, sections, symbols } from './gnu.ts';

const { RECORD } = process.env;
if (RECORD) record();

const options: Options = { sections, symbols };

/** What we make of a text, as `Case.made` has it. */
function make(source: readonly string[]): readonly string[] {
  const { image, problems } = assemble([{ page: 'page.mdx', name: 'cell', line: 1, lines: source }], options);
  if (problems.length > 0) return problems.map(problemText);
  const bytes = sections.flatMap(({ name }) =>
    image.segments
      .filter((one) => one.name === name)
      .map((one) => `${name} ${Buffer.from(one.bytes).toString('hex')}`),
  );
  const named = image.symbols.map(
    ({ name, address }) => `${name} = ${address.toString(16).padStart(16, '0')}`,
  );
  return [...bytes, ...named.sort()];
}

for (const { title, source, made } of readCases()) {
  test(title, () => {
    expect(made.length).toBeGreaterThan(0);
    expect(make(source)).toEqual(made);
  });
}
