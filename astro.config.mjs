import mdx from '@astrojs/mdx';
import preact from '@astrojs/preact';
import { defineConfig } from 'astro/config';
import './src/cli/heap.ts';
import att from './src/asm/att.tmLanguage.json' with { type: 'json' };
import { offline } from './src/cli/offline/offline.ts';
import { cells, libraryModule } from './src/literate/vite.ts';
import { ink } from './src/styles/code-theme.ts';

/** Tabs as spaces up to the next multiple of eight. */
const expandTabs = (/** @type {string} */ line) => {
  let out = '';
  for (const character of line) out += character === '\t' ? ' '.repeat(8 - (out.length % 8)) : character;
  return out;
};

export default defineConfig({
  site: 'https://entrylab.example',
  trailingSlash: 'always',
  devToolbar: { enabled: false },
  integrations: [mdx(), preact(), offline()],
  security: {
    // Written as a <meta> on every page; Astro adds the hashes of its inline scripts. It leaves out
    // hashes of styles where 'unsafe-inline' is given, which browsers would ignore beside a hash.
    csp: {
      directives: [
        "default-src 'none'",
        "base-uri 'none'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'none'",
        "img-src 'self' data:",
        "worker-src 'self'",
      ],
      scriptDirective: { resources: ["'self'", "'wasm-unsafe-eval'"] },
      styleDirective: { resources: ["'self'", "'unsafe-inline'"] },
    },
  },
  markdown: {
    shikiConfig: {
      langs: [att],
      langAlias: { asm: 'att', scenario: 'text' },
      theme: ink,
      transformers: [
        {
          name: 'tabs',
          // Browsers disagree with editors about a tab that begins at a tab stop; comments would not line up.
          preprocess: (code) => code.split('\n').map(expandTabs).join('\n'),
        },
        {
          name: 'fence-info',
          // The words after the language, for Pre.astro.
          pre(node) {
            node.properties['data-info'] = `${this.options.lang} ${this.options.meta?.__raw ?? ''}`.trim();
          },
        },
      ],
    },
  },
  vite: {
    plugins: [cells(), libraryModule()],
    worker: { format: 'es', plugins: () => [libraryModule()] },
    build: {
      assetsInlineLimit: 0, // an inlined font is a data: URL, which font-src 'self' refuses
      rolldownOptions: { checks: { moduleLevelDirective: false } },
    },
  },
});
