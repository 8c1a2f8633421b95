/** A kernel that the reader brings, on its page: small ones that the tests build. */
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { bzImage, deb, lz4, vmlinux } from '../image/build/kernel.ts';
import { runningKernel } from '../image/build/running-kernel.ts';
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

/** A kernel of ours that runs, opened, and an NMI delivered. */
async function delivered(): Promise<Page> {
  const page = await visit();
  await choose(page, runningKernel());
  await expect.poll(() => code(page)).toMatch(/iretq/);
  await page.getByRole('button', { name: 'Deliver an NMI' }).click();
  await page.locator('.kernel-run[data-ready=true]').waitFor();
  return page;
}
const run = (page: Page): Locator => page.locator('.kernel-run');
const sweep = (page: Page): Locator => page.locator('.kernel-sweep');
const verdict = (page: Page): Promise<string> => run(page).locator('.run-verdict').innerText();
const boundary = async (page: Page): Promise<number> => Number(await run(page).getAttribute('data-boundary'));
const swept = (page: Page): Promise<void> => page.locator('.kernel-sweep[data-phase=done]').waitFor();

test('an NMI is delivered and stepped through by keys; another event strikes where one stands', async () => {
  const page = await delivered();
  expect(await verdict(page)).toMatch(
    /Returned\. An NMI from kernel mode, 42 steps; it ends at do_syscall_64\./,
  );
  const slider = run(page).getByRole('slider', { name: 'Time' });
  await slider.focus();
  await page.keyboard.press('PageUp');
  await expect.poll(() => boundary(page)).toBe(21);
  expect(await run(page).locator('.code .now').innerText()).toBe('incl %gs:0x54');
  expect(await run(page).locator('.words tr', { hasText: 'do_syscall_64' }).innerText()).toMatch(/RIP/);
  const traces = run(page).getByRole('table').filter({ hasText: 'truth' });
  expect(await traces.innerText()).toMatch(/exc_nmi[\s\S]*do_syscall_64/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => boundary(page)).toBe(20);
  await expect
    .poll(() => run(page).getByRole('button', { name: '#PF', exact: true }).isDisabled())
    .toBe(true);
  await run(page).getByRole('button', { name: '#MC', exact: true }).click();
  await expect.poll(() => verdict(page)).toMatch(/run --path nmi --event mc --at asm_exc_nmi\+0x29/);
  expect(await verdict(page)).toMatch(/Cut, so that they return at once: do_machine_check\./);
  expect(await boundary(page)).toBe(20);
  await run(page)
    .getByLabel(/^Without the #MC/)
    .click();
  await expect.poll(() => verdict(page)).toMatch(/42 steps/);
  await run(page)
    .getByLabel(/^while/)
    .selectOption('user');
  await expect.poll(() => verdict(page)).toMatch(/from user mode, 44 steps/);
  expect(site.requests.filter((one) => one.method() !== 'GET' || one.postData() !== null)).toEqual([]);
});

test('a sweep counts, draws and tells; a cell leads to its run, and the sweep can be cancelled', async () => {
  const page = await delivered();
  const press = (name: string): Promise<void> =>
    sweep(page).getByRole('button', { name, exact: true }).click();
  await press('Sweep');
  await swept(page);
  expect(await sweep(page).locator('.verdict').innerText()).toMatch(
    /All 82 runs returned\.[\s\S]*41 boundaries/,
  );
  expect(await sweep(page).locator('details.places').count()).toBe(2);
  const map = sweep(page).getByRole('application');
  await map.focus();
  // The keys begin at the lowest strip: a #PF occurs nowhere on this way.
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
  await expect.poll(() => sweep(page).locator('.readout').innerText()).toMatch(/boundary \d+ in asm_exc_nmi/);
  await page.keyboard.press('Enter');
  await expect.poll(() => verdict(page)).toMatch(/--event (nmi|mc|db|pf) --at asm_exc_nmi/);
  await expect.poll(() => boundary(page)).toBeGreaterThan(1);

  // The gap that this kernel has is found, and its run opens.
  await run(page)
    .getByLabel(/^Deliver/)
    .selectOption('syscall');
  await expect.poll(() => verdict(page)).toMatch(/A system call from user mode, 50 steps/);
  await sweep(page)
    .getByLabel(/^At every boundary/)
    .selectOption('nmi');
  await press('Sweep');
  await swept(page);
  await sweep(page).locator('.found').getByRole('button', { name: 'Open this run' }).first().click();
  await expect.poll(() => verdict(page)).toMatch(/Broken: \w+/);
  await sweep(page)
    .getByLabel(/^and then/)
    .selectOption('mc');
  await press('Sweep');
  await press('Cancel');
  await expect.poll(() => sweep(page).getAttribute('data-phase')).toBe('cancelled');
  expect(await sweep(page).innerText()).toContain('nothing is claimed of it');
});

test('with a run and a sweep in view axe finds nothing, and nothing scrolls sideways', async () => {
  const page = await delivered();
  await sweep(page).getByRole('button', { name: 'Sweep', exact: true }).click();
  await swept(page);
  await sweep(page).getByRole('application').focus();
  await page.keyboard.press('ArrowRight');
  expect(await flaws(page)).toEqual([]);
});

test('a kernel that cannot run says in a sentence why', async () => {
  const page = await visit();
  await choose(page, image);
  await expect.poll(() => code(page)).toMatch(/iretq/);
  await page.getByRole('button', { name: 'Deliver an NMI' }).click();
  await expect.poll(() => run(page).getByRole('alert').innerText()).toMatch(/^missing /);
});
