/** Where a reader mends a page: an address made from `ENTRYLAB_EDIT`, as `https://example.org/edit/{path}#L{line}`. */

/**
 * The address of a page's source at a line, counted from 1; undefined where none is configured.
 *
 * @throws Error for a pattern without `{path}`
 */
export function editAddress(
  path: string,
  line = 1,
  pattern: string | undefined = process.env.ENTRYLAB_EDIT,
): string | undefined {
  if (!pattern) return undefined;
  if (!pattern.includes('{path}')) throw new Error(`invalid ENTRYLAB_EDIT: ${pattern} (missing {path})`);
  return pattern.replace('{path}', encodeURI(path)).replace('{line}', String(line));
}
