import { resolve } from 'node:path';
import ts from 'typescript';
import { pagePaths, readPage } from './pages.ts';
import { inBrowser, tangle } from './tangle.ts';

/** Type errors of pages, each with the page's own line and column. */
export function typeErrors(paths: readonly string[] = pagePaths()): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    'tsconfig.json',
    { noEmit: true, noUnusedLocals: false, noUnusedParameters: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  if (!config) throw new Error('missing tsconfig.json');
  const modules = new Map(paths.map((path) => [`${resolve(path)}.ts`, path]));
  const host = ts.createCompilerHost(config.options);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => modules.has(file) || fileExists(file);
  host.readFile = (file) => {
    const path = modules.get(file);
    return path ? tangle(readPage(path), inBrowser(path)) : readFile(file);
  };
  const program = ts.createProgram([...modules.keys(), resolve('src/env.d.ts')], config.options, host);
  return [...modules].flatMap(([name, path]) => {
    const source = program.getSourceFile(name);
    if (!source) throw new Error(`missing page: ${path}`);
    return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, code, messageText }) => {
      const { line, character } = source.getLineAndCharacterOfPosition(start);
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${path}:${line + 1}:${character + 1}: error TS${code}: ${text}`;
    });
  });
}
