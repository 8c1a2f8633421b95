declare module 'virtual:cells' {
  /** Path of a page to the import of its tangled module. */
  export const pages: Readonly<
    Record<string, () => Promise<{ cells: ReadonlyMap<string, () => Promise<void>> }>>
  >;
}

declare module 'virtual:library' {
  /** Every page's assembly and scenarios. */
  export const pages: import('./scenario/library.ts').Library;
}

declare module 'virtual:library-on-demand' {
  /** The same; to be read under `whenHere`, as the records. */
  export const pages: import('./scenario/library.ts').Library;
  /** What was recorded of their scenarios. */
  export const records: import('./scenario/records.ts').Records;
}

declare namespace App {
  interface Locals {
    /** The page being rendered, for the components in it. */
    page: import('./literate/scan.ts').Page;
  }
}
