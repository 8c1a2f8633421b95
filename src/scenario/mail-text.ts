/** Plain text as mail wants it: ASCII, no tabs, lines that nobody has to break. */

/** Words in lines of at most `columns`; a word that is longer stands alone. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(indent + word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Printable ASCII; `?` for what is not. */
export const ascii = (text: string): string => text.replace(/[^ -~]/gu, '?');

/** A sentence starts with a capital letter, but a name keeps its own: `end[-2] holds`. */
export const sentence = (text: string): string =>
  /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
