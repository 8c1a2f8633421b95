/** Where a page's file stands on the site, from its root: `notebooks/kernel-4.2.mdx` is `/notebooks/kernel-4.2/`. */
export const addressOfPage = (path: string): string =>
  `/${path
    .replace(/^content\//, '')
    .replace(/(^|\/)index\.mdx$/, '$1')
    .replace(/\.mdx$/, '/')}`;
