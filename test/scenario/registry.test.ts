import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MODEL } from '../../src/engine/model.ts';
import { readEntries, registryOnDisk } from '../../src/literate/registry.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf, scenariosOf } from '../../src/scenario/library.ts';
import { parse } from '../../src/scenario/recipe.ts';
import { differenceText } from '../../src/scenario/records.ts';
import { type FrozenRow, frozenRow } from '../../src/scenario/registry.ts';
import { entriesLost, entriesWrong, filesChanged } from '../../src/scenario/registry-check.ts';
import { assemblesAlike, driftOf, movedFrom } from '../../src/scenario/registry-freeze.ts';
import { FOLDER, fileText, makeAnew, opener } from './registry-fixture/fixture.ts';

const SHIPPED = 'src/scenario/registry';

/** ENTRYLAB_REFREEZE=1, before the first release only: makes the rows of the test registry anew. */
test.runIf(process.env.ENTRYLAB_REFREEZE)('the test registry is made anew', makeAnew);

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const rowFiles = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((file) => /\.v\d+\.json$/.test(file))
      .map((file) => [file, hashOf(readFileSync(join(folder, file), 'utf8'))]),
  );
const rowsOf = (folder: string): FrozenRow[] => {
  const disk = registryOnDisk(folder);
  return disk.entries.flatMap(({ slug, versions }) =>
    versions.map((version) => {
      const row = disk.row(slug, version);
      if (!row) throw new Error(`missing row: ${slug} v${version}`);
      return row;
    }),
  );
};
const git = (...args: string[]): string[] | undefined => {
  try {
    const text = execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n').filter(Boolean);
  } catch {
    return undefined; // an archive without its history, or no git
  }
};

describe.each([SHIPPED, FOLDER])('the registry in %s', (folder) => {
  const rows = rowsOf(folder);

  test('its index, its rows and their hashes agree', () => {
    const listed = readFileSync(join(folder, 'hashes.txt'), 'utf8');
    expect(filesChanged(readEntries(folder), listed, rowFiles(folder))).toEqual([]);
  });

  test('every row says what its index and its file say', () => {
    for (const row of rows) {
      const { recipe, problems } = parse({ page: '', name: '', line: 1, lines: row.recipe.split('\n') });
      expect(problems).toEqual([]);
      expect(recipe).toMatchObject({ slug: row.slug, version: row.version, design: row.design });
      expect(row.record).toMatchObject({ version: row.version, recipe: row.recipe });
      expect(row.model).toBeLessThanOrEqual(MODEL);
    }
  });

  test('no digest and no trace of a row moves while the model is the one it was frozen under', () => {
    const moved = rows
      .filter(({ model }) => model === MODEL)
      .flatMap((row) =>
        driftOf(row)
          .slice(0, 1)
          .map((one) => `${row.slug} v${row.version} ${differenceText(one)}`),
      );
    const why =
      folder === SHIPPED
        ? 'raise MODEL in src/engine/model.ts'
        : 'raise MODEL in src/engine/model.ts; before the first release the test rows may be made anew instead, see CONTRIBUTING';
    expect(moved, why).toEqual([]);
  });

  test('the bytes that the assembler of today makes of a row', ({ annotate }) => {
    const other = rows
      .filter((row) => !assemblesAlike(row))
      .map(({ slug, version }) => `${slug} v${version}`);
    // No failure: a row runs its own bytes. Only links with edits in it are assembled anew.
    if (other.length > 0) annotate(`other bytes: ${other.join(', ')}`);
  });
});

describe('the shipped registry', () => {
  const pages = libraryOnDisk();
  const entries = readEntries(SHIPPED);

  test('every scenario on a page is in it, and every name in it leads somewhere', () => {
    expect(entriesWrong(entries, pages)).toEqual([]);
  });

  test('a cell that names a frozen version is still what was frozen', () => {
    const moved = scenariosOf(pages).flatMap((slug) => {
      const source = scenarioOf(pages, slug);
      const version = (source && parse(source).recipe?.version) ?? 0;
      const row = frozenRow(pages, slug, version);
      const why = row && movedFrom(row, pages);
      return why === undefined
        ? []
        : [`${source?.page}: ${slug} says v${version}, but ${why}: freeze it again, or say v0`];
    });
    expect(moved).toEqual([]);
  });

  // Before the first release froze anything, nothing was promised to anybody.
  const released = entries.some(({ versions }) => versions.length > 0);

  test.runIf(released)('nothing that a commit held has been taken away', () => {
    const commits = git('log', '--format=%H', '--', `${SHIPPED}/index.json`) ?? [];
    for (const commit of commits) {
      const text = git('show', `${commit}:${SHIPPED}/index.json`)?.join('\n');
      if (text)
        expect({ commit, lost: entriesLost(JSON.parse(text), entries) }).toEqual({ commit, lost: [] });
    }
    const changed = git('log', '--diff-filter=DMR', '--format=', '--name-only', '--', `${SHIPPED}/*.v*.json`);
    expect(changed ?? [], 'rows changed or removed by a commit').toEqual([]);
  });
});

describe('checks of a registry that somebody has changed', () => {
  const entries = readEntries(FOLDER);
  const listed = fileText('hashes.txt');
  const check = (change: (files: Map<string, string>) => void, text = listed, index = entries) => {
    const files = rowFiles(FOLDER);
    change(files);
    return filesChanged(index, text, files);
  };

  test('a row that is changed, removed, renamed or slipped in', () => {
    expect(check((files) => files.set('fixture-nmi.v1.json', 'other'))).toEqual([
      'changed row: fixture-nmi.v1.json is not what was frozen; take it back from git',
    ]);
    expect(check((files) => files.delete('fixture-nmi.v2.json'))).toEqual([
      'removed row: fixture-nmi.v2.json was frozen, and links carry it',
    ]);
    const renamed = check((files) => {
      files.set('fixture-nmi.v3.json', files.get('fixture-nmi.v2.json') ?? '');
      files.delete('fixture-nmi.v2.json');
    });
    expect(renamed).toEqual([
      'removed row: fixture-nmi.v2.json was frozen, and links carry it',
      'unknown row: fixture-nmi.v3.json was not written by lab freeze',
    ]);
  });

  test('an index or a list of hashes that lost a line', () => {
    const fewer = entries.map((entry) => ({ ...entry, versions: entry.versions.filter((n) => n !== 2) }));
    expect(check(() => {}, listed, fewer)).toEqual([
      'missing version: fixture-nmi.v2.json has a hash, but the index does not name it',
    ]);
    const rest = listed.replace(/^.*fixture-user.*\n/m, '');
    expect(check(() => {}, rest)).toEqual([
      'missing hash: fixture-user.v1.json is in the index',
      'unknown row: fixture-user.v1.json was not written by lab freeze',
    ]);
    expect(check(() => {}, listed + listed)).toContain('duplicate hash: fixture-nmi.v1.json');
  });

  test('an index against an earlier one', () => {
    expect(entriesLost(entries, entries)).toEqual([]);
    expect(entriesLost(entries, [...entries, { slug: 'more', versions: [] }])).toEqual([]);
    expect(entriesLost(entries, [])).toEqual([
      'removed slug: fixture-nmi was published; give it an alias instead',
      'removed slug: fixture-user was published; give it an alias instead',
      'removed slug: fixture-old was published; give it an alias instead',
    ]);
    expect(
      entriesLost(
        entries,
        entries.map(({ slug }) => ({ slug, versions: [] })),
      ),
    ).toEqual([
      'removed version: fixture-nmi v1 was frozen, and links carry it',
      'removed version: fixture-nmi v2 was frozen, and links carry it',
      'removed version: fixture-user v1 was frozen, and links carry it',
      'changed alias: fixture-old led to fixture-nmi, now nowhere',
    ]);
  });

  test('an index by itself and beside the pages', () => {
    const { pages } = opener();
    expect(entriesWrong(entries, pages)).toEqual([]);
    const wrong = [
      { slug: 'a', versions: [2, 1] },
      { slug: 'a', versions: [1] },
      { slug: 'b', versions: [], alias: 'c' },
      { slug: 'fixture-nmi', versions: [], alias: 'a' },
      { slug: 'gone', versions: [] },
    ];
    expect(entriesWrong(wrong, pages)).toEqual([
      'duplicate slug: a',
      'invalid version: a v1 (versions stand in order, from 1)',
      'unknown alias: b leads to c',
      'invalid alias: fixture-nmi leads to a, but is on a page again',
      'removed scenario: gone was published; put it back on a page, or give it an alias in index.json (before the first release it may be taken out)',
    ]);
    expect(entriesWrong([], pages)).toEqual([
      'missing slug: fixture-nmi is not in index.json (npm run -s lab -- record adds it)',
    ]);
  });
});
