import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesText, hashLine, REGISTRY, readEntries, registryOnDisk } from '../../literate/registry.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { freeze as freezeScenario } from '../../scenario/registry-freeze.ts';
import { rowFile, rowText } from '../../scenario/registry-row.ts';
import { args, type Command, json, refuse } from './command.ts';

export const freeze: Command = {
  name: 'freeze',
  summary: 'freezes the next version of a scenario, for ever',
  usage: 'freeze SLUG [--registry FOLDER] [--json]',
  help: [
    'SLUG        a scenario of the pages (lab list)',
    `--registry  where rows lie; ${REGISTRY} unless told`,
    '--json      {slug, version, file, design, digest}',
    '',
    'Writes a row with the recipe, the entry code as text and as bytes, and what the run showed, and appends to the',
    'index and to the list of hashes. A row is never changed or removed afterwards. Exit status 1: the newest version',
    'is the same already, or the scenario does not show what it expects.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' }, registry: { type: 'string' } }, 1);
    if (!parsed) return 2;
    const { values, positionals } = parsed;
    const [slug] = positionals;
    if (slug === undefined) return refuse('missing scenario: lab freeze SLUG') ?? 2;
    const folder = values.registry ?? REGISTRY;
    if (!existsSync(join(folder, 'index.json')))
      return refuse(`unknown registry: ${folder} has no index.json`) ?? 2;

    const made = freezeScenario(slug, libraryOnDisk(registryOnDisk(folder)));
    if ('problems' in made) {
      for (const problem of made.problems) refuse(problem);
      return made.problems[0]?.startsWith('unknown scenario') ? 2 : 1;
    }
    const { row } = made;
    const { version, design, record } = row;
    const file = rowFile(slug, version);
    if (existsSync(join(folder, file))) return refuse(`duplicate row: ${join(folder, file)} is there`) ?? 1;
    const text = rowText(row);
    const entries = readEntries(folder);
    const known = entries.some((entry) => entry.slug === slug);
    const after = known
      ? entries.map((entry) =>
          entry.slug === slug ? { ...entry, versions: [...entry.versions, version] } : entry,
        )
      : [...entries, { slug, versions: [version] }];
    writeFileSync(join(folder, file), text);
    writeFileSync(join(folder, 'index.json'), entriesText(after));
    appendFileSync(join(folder, 'hashes.txt'), hashLine(file, text));
    const digest = record.steps.at(-1)?.digest;
    console.log(
      values.json
        ? json({ slug, version, file: join(folder, file), design, digest })
        : `${slug} v${version} is frozen: ${join(folder, file)}, ${text.length} bytes`,
    );
    return 0;
  },
};
