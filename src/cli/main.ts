/** `lab`: the same functions as the site, from a shell. */
import './heap.ts';
import { lab } from './commands/lab.ts';

process.exitCode = await lab(process.argv.slice(2));
