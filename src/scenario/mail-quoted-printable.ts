/** Quoted-printable (RFC 2045, section 6.7), for text that was copied from a mail's source. */

/**
 * Whether every `=` is an escape or a soft break, and one of them is such as encoders write: a soft break,
 * `=3D`, white space at the end of a line, or a byte outside ASCII. Code like `x=10` alone does not count.
 */
export function looksQuotedPrintable(lines: readonly string[]): boolean {
  let evidence = false;
  for (const line of lines) {
    const text = line.trimEnd();
    for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
      const pair = text.slice(at + 1, at + 3).toUpperCase();
      const last = at + 3 >= text.length;
      if (pair && !/^[\dA-F]{2}$/.test(pair)) return false;
      evidence ||= !pair || pair === '3D' || pair >= '80' || (last && /^(?:20|09)$/.test(pair));
    }
  }
  return evidence;
}

/** Decodes lines and joins those that were broken softly. What is no escape stays as it is. */
export function decodeQuotedPrintable(lines: readonly string[]): string[] {
  const decoded: string[] = [];
  let open = false;
  for (const line of lines) {
    const text = line.trimEnd();
    const soft = text.endsWith('=');
    const piece = unescaped(soft ? text.slice(0, -1) : text);
    if (open) decoded.push((decoded.pop() ?? '') + piece);
    else decoded.push(piece);
    open = soft;
  }
  return decoded;
}

const unescaped = (text: string): string =>
  text.replace(/(?:=[\dA-Fa-f]{2})+/g, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split('='), (pair) => Number.parseInt(pair, 16));
    return new TextDecoder().decode(bytes);
  });
