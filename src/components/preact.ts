/**
 * Says that an island is Preact's. Astro would otherwise render it once more to find out (`check` of `@astrojs/preact`), and the
 * island of a run is the most of its page.
 */
export const ofPreact = (island: object): void => {
  Object.assign(island, { [Symbol.for('astro:renderer')]: '@astrojs/preact' });
};
