/** The registry as files: an index, a row each, and the hashes that vouch for them. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrozenRow, Registry, RegistryEntry } from '../scenario/registry.ts';
import { type RowText, readRow, rowFile } from '../scenario/registry-row.ts';

/** Folder of the registry; a build that tests frozen doors names another. */
export const REGISTRY = process.env.ENTRYLAB_REGISTRY ?? 'src/scenario/registry';

export const readEntries = (folder: string): readonly RegistryEntry[] =>
  JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));

/** The text of the index: an entry a line, so that a change of one shows as one line. */
export const entriesText = (entries: readonly RegistryEntry[]): string =>
  entries.length === 0
    ? '[]\n'
    : `[\n${entries.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n]\n`;

/** The line of `hashes.txt` for a file, as `sha256sum` writes it. */
export const hashLine = (file: string, text: string): string =>
  `${createHash('sha256').update(text).digest('hex')}  ${file}\n`;

/** The registry in a folder; a row is read when it is asked for. */
export function registryOnDisk(folder = REGISTRY): Registry {
  const rows = new Map<string, FrozenRow>();
  return {
    entries: readEntries(folder),
    row(slug, version) {
      const file = rowFile(slug, version);
      const path = join(folder, file);
      const found = rows.get(file);
      if (found || !existsSync(path)) return found;
      const row = readRow(JSON.parse(readFileSync(path, 'utf8')) as RowText);
      rows.set(file, row);
      return row;
    },
    load: async () => {},
  };
}
