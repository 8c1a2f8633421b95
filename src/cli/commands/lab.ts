/** The commands of `lab`. */
import { styleText } from 'node:util';
import { type Command, refuse } from './command.ts';

/** Each is loaded when it is asked for: together they are most of the project. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).run,
  sweep: async () => (await import('./sweep.ts')).sweep,
  list: async () => (await import('./list.ts')).list,
  mail: async () => (await import('./mail.ts')).mail,
  link: async () => (await import('./link.ts')).link,
  explain: async () => (await import('./explain.ts')).explain,
  lint: async () => (await import('./lint.ts')).lint,
  asm: async () => (await import('./asm.ts')).asm,
  disasm: async () => (await import('./disasm.ts')).disasm,
  objtool: async () => (await import('./objtool.ts')).objtool,
  kernel: async () => (await import('./kernel.ts')).kernel,
  record: async () => (await import('./record.ts')).record,
  freeze: async () => (await import('./freeze.ts')).freeze,
  vectors: async () => (await import('./vectors.ts')).vectors,
};
const NAMES = Object.keys(COMMANDS);

const bold = (text: string): string => (process.stdout.isTTY ? styleText('bold', text) : text);

const help = async (): Promise<string> => {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  return [
    'usage: lab COMMAND [ARGUMENTS] [--json]',
    '',
    ...commands.map(({ name, summary }) => `  ${bold(name.padEnd(8))} ${summary}`),
    '',
    'lab COMMAND --help says more. Exit status: 0 what was expected, 1 something else, 2 bad input.',
  ].join('\n');
};

/** Runs one command line, the words behind `lab`; the exit status. */
export async function lab(line: readonly string[]): Promise<0 | 1 | 2> {
  const [name, ...rest] = line;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(await help());
    return name === undefined ? 2 : 0;
  }
  const load = NAMES.includes(name) ? COMMANDS[name] : undefined;
  if (!load) return refuse(`unknown command: ${name} (there is ${NAMES.join(', ')})`) ?? 2;
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(`usage: lab ${command.usage}\n\n${command.help}`);
    return 0;
  }
  return command.run(rest);
}
