/** A kernel that the reader brings, on its page: small ones that the tests build. */
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { bzImage, deb, lz4, vmlinux } from '../image/build/kernel.ts';
import { flaws, HERE, visits } from './visit.ts';

const site = visits(HERE);
const ADDRESS = 'notebooks/labs/your-kernel/';
const image = vmlinux();
const island = (page: Page): Locator => page.locator('.own-kernel');
const code = (page: Page): Promise<string> => page.locator('.routine').innerText();

async function visit(fragment = ''): Promise<Page> {
  const page = await site.open(ADDRESS + fragment);
  await page.locator('.own-kernel[data-ready=true]').waitFor();
  return page;
}
const choose = (page: Page, bytes: Uint8Array, name = 'vmlinux'): Promise<void> =>
  page
    .getByLabel('Choose a kernel')
    .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });

test('without JavaScript the page says all of it, and offers no dead button', async () => {
  const page = await site.open(ADDRESS, { javaScriptEnabled: false });
  const text = await page.locator('main').innerText();
  for (const said of ['lab -- kernel', 'An ORC row says', 'under the licence of that kernel', '440189'])
    expect({ said, found: text.includes(said) }).toEqual({ said, found: true });
  expect(await page.getByText('Choose a kernel').isVisible()).toBe(false);
});

test.each([
  ['a package', deb(bzImage(lz4(image), image.length)), 'package, boot/vmlinuz-0.0.1: bzImage, lz4: vmlinux'],
  ['gzip', bzImage(new Uint8Array(gzipSync(image)), image.length), 'bzImage, gzip: vmlinux'],
  ['zstd', bzImage(new Uint8Array(zstdCompressSync(image)), image.length), 'bzImage, zstd: vmlinux'],
])('%s is opened in the browser, and nothing is sent', async (name, bytes, packed) => {
  const page = await visit();
  await choose(page, bytes, name);
  await expect.poll(() => island(page).getAttribute('data-phase')).toBe('open');
  const facts = await page.locator('.about').innerText();
  expect(facts).toContain('cafebabe');
  expect(facts).toContain(packed);
  await expect.poll(() => code(page)).toMatch(/iretq/);
  expect(site.requests.filter((one) => one.method() !== 'GET' || one.postData() !== null)).toEqual([]);
});

test('keys choose a symbol and a processor, the address follows, and the same file returns there', async () => {
  const page = await visit();
  await choose(page, image);
  await expect.poll(() => code(page)).toMatch(/nopl/);
  const box = page.getByRole('combobox', { name: 'symbol' });
  await box.pressSequentially('function_59');
  await expect.poll(() => page.getByRole('option').count()).toBe(11);
  await box.press('ArrowDown');
  await box.press('ArrowDown');
  await expect.poll(() => box.getAttribute('aria-activedescendant')).toMatch(/-1$/);
  await box.press('Enter');
  await expect.poll(() => new URL(page.url()).hash).toMatch(/^#symbol=function_59\d&build=cafebabe$/);
  expect(await page.getByRole('option').count()).toBe(0);
  await page.goBack();
  await expect.poll(() => code(page)).toMatch(/nopl/);
  await page.getByRole('radio', { name: 'patched for a processor with' }).check();
  await page.getByRole('checkbox', { name: '9*32+20' }).check();
  await expect.poll(() => code(page)).toMatch(/clac/);
  const said = await code(page);
  const { hash } = new URL(page.url());
  expect(hash).toBe('#symbol=asm_exc_nmi&features=9*32%2B20&build=cafebabe');

  const again = await visit(hash);
  expect(await island(again).innerText()).toContain(
    'asks for asm_exc_nmi of the kernel with build id cafebabe',
  );
  await choose(again, image);
  await expect.poll(() => code(again)).toBe(said);
});

test('an address for another build says so; a symbol that is none is a sentence', async () => {
  const page = await visit('#symbol=asm_exc_nim&build=0123456789ab');
  await choose(page, image);
  await expect.poll(() => page.getByRole('alert').innerText()).toBe('unknown symbol: asm_exc_nim');
  expect(await island(page).innerText()).toContain(
    'The address was made for build 0123456789ab; this is cafebabe.',
  );
  await page.getByRole('button', { name: 'asm_exc_nmi' }).click();
  await expect.poll(() => code(page)).toMatch(/iretq/);
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('what is no kernel is one sentence, and the next file opens; Cancel leaves a file unopened', async () => {
  const page = await visit();
  await choose(page, Uint8Array.of(1, 2, 3), 'notes.txt');
  await expect
    .poll(() => page.getByRole('alert').innerText())
    .toBe('notes.txt cannot be opened: unknown kind of file: no .deb, vmlinuz or vmlinux (file, at 0x0)');
  // The next worker never comes: there is time to press the button.
  await page.route(/kernel-worker/, () => {});
  await choose(page, image);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => island(page).getAttribute('data-phase')).toBe('cancelled');
  await page.unroute(/kernel-worker/);
  await choose(page, image);
  await expect.poll(() => code(page)).toMatch(/iretq/);
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('text and capsule are saved; the capsule opens like the kernel', async () => {
  const page = await visit();
  await choose(page, image);
  await expect.poll(() => code(page)).toMatch(/iretq/);
  const saved = async (name: RegExp): Promise<Buffer> => {
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name }).click(),
    ]);
    return readFileSync(await file.path());
  };
  const text = (await saved(/^Save as text/)).toString();
  expect(text).toMatch(/^Linux version 0\.0\.1 .*\nbuild id cafebabe\n\nasm_exc_nmi: text as linked\n/);
  expect(text).toContain('      orc sp:sp+8 bp:(und) type:regs-partial signal:1\n');
  const capsule = await saved(/^Save a capsule/);
  const said = await code(page);
  await choose(page, capsule, 'mine.gz');
  await expect.poll(() => page.locator('.about').innerText()).toContain('capsule of asm_exc_nmi');
  await expect.poll(() => code(page)).toBe(said);
});

test('with a kernel open axe finds nothing, and nothing scrolls sideways', async () => {
  const page = await visit();
  await choose(page, image);
  await expect.poll(() => code(page)).toMatch(/iretq/);
  await page.getByRole('radio', { name: 'patched for a processor with' }).check();
  await page.getByRole('combobox', { name: 'symbol' }).pressSequentially('function_5');
  await expect.poll(() => page.getByRole('option').count()).toBe(12);
  expect(await flaws(page)).toEqual([]);
});
