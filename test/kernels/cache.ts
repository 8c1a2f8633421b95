/** Today's Debian kernels, in a folder that git ignores; what was fetched once is used again while it is today's. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byNumbers, output } from '../reference/kernel/debian.ts';

/** Flavour amd64 of each series: the cloud flavour of 6.1 has no #MC. */
const SERIES = ['6.1', '6.12'] as const;
const FOLDER = '.cache/kernels';

export interface Package {
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** The newest package of a series that the lists know, and its version. */
function newest(series: string): { readonly name: string; readonly version: string } | undefined {
  const pattern = `^linux-image-${series.replace('.', '\\.')}\\.[0-9]+.*-amd64$`;
  const name = output('apt-cache', ['search', '--names-only', pattern], '.')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((one) => one !== '' && !/-(cloud|rt)-amd64$/.test(one))
    .sort(byNumbers)
    .at(-1);
  const version =
    name && /^Version: (.*)$/m.exec(output('apt-cache', ['show', '--no-all-versions', name], '.'))?.[1];
  return name && version ? { name, version } : undefined;
}

/** What the package client can give, or a sentence why there is nothing. */
export function packages(): readonly Package[] | string {
  mkdirSync(FOLDER, { recursive: true });
  try {
    if (SERIES.some((series) => !newest(series))) output('apt-get', ['update', '-qq'], '.');
    return SERIES.map((series) => {
      const found = newest(series);
      if (!found) throw new Error(`the package lists know no ${series}`);
      const { name, version } = found;
      const file = `${name}_${version.replaceAll(':', '%3a')}_amd64.deb`;
      if (!existsSync(join(FOLDER, file)))
        output('apt-get', ['download', '-qq', `${name}=${version}`], FOLDER);
      return readPackage(file);
    });
  } catch (reason) {
    const kept = readdirSync(FOLDER).filter((file) => file.endsWith('.deb'));
    const why = reason instanceof Error ? reason.message : String(reason);
    if (kept.length === 0) return why;
    console.log(`not today's kernels: ${why}`);
    return kept.map(readPackage);
  }
}

/** A file of the cache; its hash is kept beside it and must stay what it was. */
function readPackage(file: string): Package {
  const path = join(FOLDER, file);
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const beside = `${path}.sha256`;
  if (!existsSync(beside)) writeFileSync(beside, `${sha256}\n`);
  if (readFileSync(beside, 'utf8').trim() !== sha256) throw new Error(`invalid file: ${path} has changed`);
  return { name: file.replace(/_amd64\.deb$/, ''), bytes, sha256 };
}
