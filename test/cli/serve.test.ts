import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../../src/cli/serve.ts';

test('what is named by its contents is kept for good, a page is asked for each time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'served-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, '_astro'));
  writeFileSync(join(folder, '_astro/lab.Cqs0T8_d.js'), '');
  writeFileSync(join(folder, 'index.html'), '');
  const { url, server } = await serve(folder, { base: '/a/b/' });
  onTestFinished(() => void server.close());
  const answer = async (path: string) => {
    const { status, headers } = await fetch(url + path);
    return [status, headers.get('cache-control')];
  };
  expect(await answer('_astro/lab.Cqs0T8_d.js')).toEqual([200, 'max-age=31536000, immutable']);
  expect(await answer('')).toEqual([200, null]);
  expect(await answer('_astro/gone.js')).toEqual([404, null]);
});
