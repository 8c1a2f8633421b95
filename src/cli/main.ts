/** `lab`: the same functions as the site, from a shell. */
import { styleText } from 'node:util';
import { asm } from './commands/asm.ts';
import type { Command } from './commands/command.ts';
import { disasm } from './commands/disasm.ts';
import { explain } from './commands/explain.ts';
import { freeze } from './commands/freeze.ts';
import { link } from './commands/link.ts';
import { lint } from './commands/lint.ts';
import { list } from './commands/list.ts';
import { mail } from './commands/mail.ts';
import { objtool } from './commands/objtool.ts';
import { record } from './commands/record.ts';
import { run } from './commands/run.ts';
import { sweep } from './commands/sweep.ts';
import { vectors } from './commands/vectors.ts';

const COMMANDS: readonly Command[] = [
  run,
  sweep,
  list,
  mail,
  link,
  explain,
  lint,
  asm,
  disasm,
  objtool,
  record,
  freeze,
  vectors,
];

const bold = (text: string): string => (process.stdout.isTTY ? styleText('bold', text) : text);

const help = (): string =>
  [
    'usage: lab COMMAND [ARGUMENTS] [--json]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${bold(name.padEnd(8))} ${summary}`),
    '',
    'lab COMMAND --help says more. Exit status: 0 what was expected, 1 something else, 2 bad input.',
  ].join('\n');

const [name, ...rest] = process.argv.slice(2);
const command = COMMANDS.find((one) => one.name === name);
if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
  console.log(help());
  process.exitCode = name === undefined ? 2 : 0;
} else if (!command) {
  console.error(`unknown command: ${name} (there is ${COMMANDS.map((one) => one.name).join(', ')})`);
  process.exitCode = 2;
} else if (rest.includes('--help') || rest.includes('-h')) {
  console.log(`usage: lab ${command.usage}\n\n${command.help}`);
} else {
  process.exitCode = await command.run(rest);
}
