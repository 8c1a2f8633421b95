/** What may happen to the registry: entries, versions and aliases are added, never taken away or changed. */
import { type Library, scenarioOf, scenariosOf } from './library.ts';
import { onPage, type RegistryEntry } from './registry.ts';
import { rowFile } from './registry-row.ts';

/** What an earlier list of entries had that a later one has not; one sentence each. */
export function entriesLost(
  before: readonly RegistryEntry[],
  after: readonly RegistryEntry[],
): readonly string[] {
  return before.flatMap(({ slug, versions, alias }) => {
    const now = after.find((entry) => entry.slug === slug);
    if (!now) return [`removed slug: ${slug} was published; give it an alias instead`];
    const gone = versions.filter((n) => !now.versions.includes(n));
    return [
      ...gone.map((n) => `removed version: ${slug} v${n} was frozen, and links carry it`),
      ...(alias !== undefined && now.alias !== alias
        ? [
            `changed alias: ${slug} led to ${alias}, now ${now.alias === undefined ? 'nowhere' : `to ${now.alias}`}`,
          ]
        : []),
    ];
  });
}

/**
 * What is wrong between the index, the rows' files and the list of their hashes. Lists of hashes hold a line for each
 * file: the hash, two spaces, the name.
 * @param listed text of the list.
 * @param files hash of every row's file that is there, by name.
 */
export function filesChanged(
  entries: readonly RegistryEntry[],
  listed: string,
  files: ReadonlyMap<string, string>,
): readonly string[] {
  const problems: string[] = [];
  const rows = entries.flatMap(({ slug, versions }) => versions.map((n) => rowFile(slug, n)));
  const hashes = new Map<string, string>();
  for (const line of listed.split('\n').filter((one) => one !== '')) {
    const [hash = '', file = ''] = line.split('  ');
    if (hashes.has(file)) problems.push(`duplicate hash: ${file}`);
    hashes.set(file, hash);
  }
  for (const [file, hash] of hashes) {
    const now = files.get(file);
    if (now === undefined) problems.push(`removed row: ${file} was frozen, and links carry it`);
    else if (now !== hash)
      problems.push(`changed row: ${file} is not what was frozen; take it back from git`);
    if (!rows.includes(file))
      problems.push(`missing version: ${file} has a hash, but the index does not name it`);
  }
  for (const file of rows) if (!hashes.has(file)) problems.push(`missing hash: ${file} is in the index`);
  for (const file of files.keys())
    if (!hashes.has(file)) problems.push(`unknown row: ${file} was not written by lab freeze`);
  return problems;
}

/** What is wrong with an index by itself and beside the pages; one sentence each. */
export function entriesWrong(entries: readonly RegistryEntry[], pages: Library): readonly string[] {
  const slugs = entries.map(({ slug }) => slug);
  return [
    ...slugs.filter((slug, n) => slugs.indexOf(slug) !== n).map((slug) => `duplicate slug: ${slug}`),
    ...entries.flatMap(({ slug, versions, alias }) => {
      const wrong = versions.find((n, i) => !Number.isInteger(n) || n <= (versions[i - 1] ?? 0));
      if (wrong !== undefined)
        return [`invalid version: ${slug} v${wrong} (versions stand in order, from 1)`];
      if (alias !== undefined && !slugs.includes(alias)) return [`unknown alias: ${slug} leads to ${alias}`];
      if (alias !== undefined && scenarioOf(pages, slug))
        return [`invalid alias: ${slug} leads to ${alias}, but is on a page again`];
      const found = onPage(pages, slug) !== undefined;
      return found || versions.length > 0
        ? []
        : [
            `removed scenario: ${slug} was published; put it back on a page, or give it an alias in index.json (before the first release it may be taken out)`,
          ];
    }),
    ...scenariosOf(pages)
      .filter((slug) => !slugs.includes(slug))
      .map((slug) => `missing slug: ${slug} is not in index.json (npm run -s lab -- record adds it)`),
  ];
}
