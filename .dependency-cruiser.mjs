/** The house, ground floor first: a room imports only from rooms above it in this list. */
const rooms = ['isa', 'engine', 'image', 'asm', 'kernel', 'unwind', 'scenario', 'explore', 'literate', 'cli'];
const site = '(islands|components|layouts|pages|styles)';

const room = (name) => `^src/${name}/`;
const below = (i) => `^src/(${[...rooms.slice(i + 1), site].join('|')})/`;
const free = '^src/(isa|engine|image|asm|kernel|unwind|scenario|explore)/';
/** Makes the module of the wasm backend at build time, with binaryen. */
const generator = '^src/engine/backends/wasm/(generate\\.ts$|staging/)';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rooms.map((name, i) => ({
      name: `${name}-knows-only-rooms-above`,
      severity: 'error',
      from: { path: room(name) },
      to: { path: below(i) },
    })),
    {
      name: 'site-does-not-know-the-cli',
      severity: 'error',
      from: { path: room(site) },
      to: { path: room('cli') },
    },
    {
      name: 'rooms-of-the-model-are-free-of-packages',
      comment: 'everything below islands stays free of frameworks and of Node',
      severity: 'error',
      from: { path: free, pathNot: generator },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown', 'core'] },
    },
    {
      name: 'nothing-at-run-time-imports-the-generator',
      comment: 'binaryen makes the bytes of the wasm backend when they change, and is in no bundle',
      severity: 'error',
      from: { path: '^src/', pathNot: generator },
      to: { path: generator },
    },
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      from: {
        path: `^src/(?!(${[...rooms, site].join('|')})/|index\\.ts$|content\\.config\\.ts$|env\\.d\\.ts$)`,
      },
      to: {},
    },
    {
      name: 'no-cycles',
      comment:
        'an import of a type vanishes before anything runs: the vocabulary and its derived words name each other so',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(virtual|astro):' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.d.ts', '.astro'],
    },
  },
};
