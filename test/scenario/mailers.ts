/** What mailers do to text. */

export const quote = (text: string, mark = '> ') =>
  text
    .split('\n')
    .map((line) => (line ? mark + line : mark.trimEnd()))
    .join('\n');
/** Breaks long lines and repeats their quoting mark, or not. */
export const breakLines = (text: string, columns: number, keepMark: boolean) =>
  text.split('\n').flatMap((line) => {
    const mark = keepMark ? (/^[> ]*/.exec(line)?.[0] ?? '') : '';
    const pieces: string[] = [];
    let rest = line;
    while (rest.length > columns) {
      const at = rest.lastIndexOf(' ', columns);
      if (at <= mark.length) break;
      pieces.push(rest.slice(0, at));
      rest = mark + rest.slice(at + 1);
    }
    return [...pieces, rest];
  });
/** Joins the lines of a paragraph, then breaks it. */
export const refill = (text: string, columns: number) =>
  text
    .split(/\n{2,}/)
    .flatMap((paragraph) => [
      ...breakLines(paragraph.split(/\s+/).filter(Boolean).join(' '), columns, false),
      '',
    ])
    .join('\n');
/** RFC 2045, section 6.7. */
export const quotedPrintable = (text: string) =>
  text
    .split('\n')
    .map((line) => {
      const escaped = [...new TextEncoder().encode(line)].map((byte, i, all) => {
        const plain = byte >= 33 && byte <= 126 && byte !== 61;
        const space = (byte === 32 || byte === 9) && i < all.length - 1;
        return plain || space
          ? String.fromCharCode(byte)
          : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      });
      const lines = [''];
      for (const unit of escaped) {
        if ((lines.at(-1) ?? '').length + unit.length > 75) lines.push('');
        lines.push((lines.pop() ?? '') + unit);
      }
      return lines.join('=\n');
    })
    .join('\n');
export const crlf = (text: string) => text.replaceAll('\n', '\r\n');
export const tabs = (text: string) => text.replaceAll(/ {2,}/g, '\t');
