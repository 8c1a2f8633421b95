/** Pages without scripts: every fact is there as text or table, and no control that would do nothing. */
import { expect, test } from 'vitest';
import { HERE, visits } from './visit.ts';

const site = visits(HERE);

/** A page of each kind, and facts that its parts tell once scripts run. */
const PAGES: readonly (readonly [path: string, facts: readonly (string | RegExp)[]])[] = [
  ['', ['same as recorded, 255 boundaries', 'T-136', 'NMIs blocked', 'stops early', 'boundary 75']],
  [
    'notebooks/labs/laboratory/',
    [
      'nested_nmi_out',
      'outermost leads to the task stack',
      'original leads to the NMI stack',
      'CPL\n0, kernel',
      'interrupts off',
      /CR2\s+0000000000000000/,
      'do_nmi+0x32/0x66',
      'boundary 139 stored by nested_nmi+0xc: push %rdx, copied from rdx',
      'the pictures stand still, at boundary 144',
      'npm run -s lab -- run nested-nmi',
      'Without scripts nothing is kept',
    ],
  ],
  ['notebooks/designs/linux-4.2/', ['nested_nmi:', 'NMI latch', 'Top of the NMI stack']],
  ['notebooks/designs/', ['fred', 'popf-ret', 'lost']],
  ['notebooks/labs/your-kernel/', ['Without scripts this page opens nothing', 'lab -- kernel']],
  ['notebooks/labs/sweep/', ['Clean over exactly this: 29,570 schedules', 'int3_entry']],
  ['thread/warnings/', ['Dumped at boundary', 'original.rsp', 'ORC rows in force:', /stops early/]],
  ['bugs/a4-user-rsp/', ['Words' /* of the footer */, /breaks|lost|wrong/]],
  ['reference/instructions/push/', ['SDM', /before\s+after/]],
  ['s/nested-nmi/v0/', ['same as recorded', 'iret']],
];

test.each(PAGES)('/%s', async (path, facts) => {
  const page = await site.open(path, { javaScriptEnabled: false });
  const text = await page.locator('body').innerText();
  for (const fact of facts)
    expect({ fact, found: typeof fact === 'string' ? text.includes(fact) : fact.test(text) }).toEqual({
      fact,
      found: true,
    });
  const controls = page.locator('button, select, input, textarea');
  const dead: string[] = [];
  for (const one of await controls.all())
    if (await one.isVisible()) dead.push(await one.evaluate((node) => node.outerHTML.slice(0, 120)));
  expect(dead).toEqual([]);
  // Folds open without scripts; what they hold is text as well.
  const islands = page.locator('.island:has(summary:text("The same run as a table"))');
  for (const island of await islands.all()) {
    await island.getByText('The same run as a table').click();
    expect(await island.locator('table tbody tr').count()).toBeGreaterThan(8);
  }
});
