/** The commands of `lab`. */
import { styleText } from 'node:util';
import { asm } from './asm.ts';
import { type Command, refuse } from './command.ts';
import { disasm } from './disasm.ts';
import { explain } from './explain.ts';
import { freeze } from './freeze.ts';
import { kernel } from './kernel.ts';
import { link } from './link.ts';
import { lint } from './lint.ts';
import { list } from './list.ts';
import { mail } from './mail.ts';
import { objtool } from './objtool.ts';
import { record } from './record.ts';
import { run } from './run.ts';
import { sweep } from './sweep.ts';
import { vectors } from './vectors.ts';

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
  kernel,
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

/** Runs one command line, the words behind `lab`; the exit status. */
export async function lab(line: readonly string[]): Promise<0 | 1 | 2> {
  const [name, ...rest] = line;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (!command)
    return refuse(`unknown command: ${name} (there is ${COMMANDS.map((one) => one.name).join(', ')})`) ?? 2;
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(`usage: lab ${command.usage}\n\n${command.help}`);
    return 0;
  }
  return command.run(rest);
}
