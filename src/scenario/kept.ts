/** A few things that are costly to make again. */

/** The value of a key, made if it is not there. Only the `most` that were asked for last are kept. */
export function kept<T>(values: Map<string, T>, key: string, most: number, make: () => T): T {
  const value = values.get(key) ?? make();
  values.delete(key);
  values.set(key, value);
  for (const [oldest] of values) {
    if (values.size <= most) break;
    values.delete(oldest);
  }
  return value;
}
