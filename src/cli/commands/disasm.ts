import { decode } from '../../isa/decode.ts';
import { print } from '../../isa/print.ts';
import { args, type Command, json, refuse } from './command.ts';

export const disasm: Command = {
  name: 'disasm',
  summary: 'disassembles bytes given in hexadecimal',
  usage: 'disasm HEX [--json]',
  help: 'Prints offset, bytes and AT&T text of each instruction. Spaces in HEX do not count.\n--json   [{offset, bytes, text}]',
  async run(given) {
    const parsed = args(given, { json: { type: 'boolean' } }, 64);
    if (!parsed) return 2;
    const hex = parsed.positionals.join('').replace(/\s+/g, '');
    if (hex === '') return refuse('missing bytes: lab disasm HEX') ?? 2;
    const wrong = /[^\da-f]/i.exec(hex);
    if (wrong)
      return (
        refuse(
          `invalid bytes: ${JSON.stringify(wrong[0])} at character ${wrong.index + 1} is no hexadecimal digit`,
        ) ?? 2
      );
    if (hex.length % 2 === 1) return refuse(`invalid bytes: ${hex} has an odd number of digits`) ?? 2;
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const rows: { offset: number; bytes: string; text: string }[] = [];
    let status: 0 | 2 = 0;
    for (let offset = 0; offset < bytes.length; ) {
      const found = decode(bytes, offset);
      if ('problem' in found) {
        const rest = hex.slice(offset * 2);
        rows.push({ offset, bytes: rest, text: `(${found.problem})` });
        status = 2;
        break;
      }
      rows.push({
        offset,
        bytes: hex.slice(offset * 2, (offset + found.length) * 2),
        text: print(found, BigInt(offset)),
      });
      offset += found.length;
    }
    if (parsed.values.json) console.log(json(rows));
    else
      for (const row of rows)
        console.log(`${row.offset.toString(16).padStart(4)}  ${row.bytes.padEnd(30)} ${row.text}`);
    return status;
  },
};
