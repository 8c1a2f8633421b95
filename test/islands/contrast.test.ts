/** WCAG contrast of every pair of tokens that meets on a page, and distances of records and verdicts by kind of sight. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('../../src/styles/tokens.css', import.meta.url), 'utf8');
const pairs = [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)];
const theme = (column: 2 | 3) => new Map(pairs.map((match) => [match[1] ?? '', match[column] ?? '']));
const themes = { light: theme(2), dark: theme(3) };

type Triple = readonly [number, number, number];
const linear = (hex: string): Triple => {
  const channel = (i: number) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
};
const luminance = (hex: string) => {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a: string, b: string) => {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((p, q) => p - q);
  return (high + 0.05) / (low + 0.05);
};

/** Machado, Oliveira and Fernandes 2009, severity 1. */
const SIGHT: Readonly<Record<string, readonly [Triple, Triple, Triple]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};
const dot = ([a, b, c]: Triple, [x, y, z]: Triple) => a * x + b * y + c * z;
/** OKLab of a colour as seen. */
function seen(hex: string, sight: readonly [Triple, Triple, Triple]): Triple {
  const rgb = sight.map((row) => Math.min(1, Math.max(0, dot(row, linear(hex))))) as unknown as Triple;
  const lms: Triple = [
    Math.cbrt(dot([0.4122214708, 0.5363325363, 0.0514459929], rgb)),
    Math.cbrt(dot([0.2119034982, 0.6806995451, 0.1073969566], rgb)),
    Math.cbrt(dot([0.0883024619, 0.2817188376, 0.6299787005], rgb)),
  ];
  return [
    dot([0.2104542553, 0.793617785, -0.0040720468], lms),
    dot([1.9779984951, -2.428592205, 0.4505937099], lms),
    dot([0.0259040371, 0.7827717662, -0.808675766], lms),
  ];
}

const RECORDS = ['original', 'iret', 'outermost'];
const VERDICTS = ['right-fill', 'stopped-fill', 'said-fill', 'silent-fill'];
const TEXT: [string, string][] = [
  ...['ink', 'ink-2', 'ink-3'].flatMap((ink) =>
    ['paper', 'sunken'].map((ground): [string, string] => [ink, ground]),
  ),
  ['ink', 'select'],
  ['ink-2', 'select'],
  ...[...RECORDS, 'kept', 'regs'].flatMap((name): [string, string][] => [
    [name, 'paper'],
    [name, 'sunken'],
    [name, `${name}-fill`],
    ['ink', `${name}-fill`],
    ['ink-3', `${name}-fill`],
  ]),
  ...RECORDS.map((name): [string, string] => [name, 'select']),
  ['right', 'right-fill'],
  ['stopped', 'stopped-fill'],
  ['on-said', 'said-fill'],
  ['on-silent', 'silent-fill'],
  ['paper', 'ink'],
];

describe.each(Object.entries(themes))('%s', (_, colours) => {
  const colour = (name: string) => colours.get(name) ?? `missing ${name}`;
  test.each(TEXT)('text %s on %s', (text, ground) => {
    expect(ratio(colour(text), colour(ground))).toBeGreaterThanOrEqual(4.5);
  });
  test.each(['rule-strong', 'ink', 'silent-fill', 'said-line'])('edge %s', (edge) => {
    expect(ratio(colour(edge), colour('paper'))).toBeGreaterThanOrEqual(3);
  });
  test.each(Object.entries(SIGHT))('records and verdicts stay apart: %s', (_sight, matrix) => {
    const look = (name: string) => seen(colour(name), matrix);
    const distance = (a: string, b: string) => {
      const [p, q] = [look(a), look(b)];
      return 100 * Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    };
    expect(distance('original', 'iret')).toBeGreaterThanOrEqual(10);
    expect(distance('original', 'outermost')).toBeGreaterThanOrEqual(10);
    expect(distance('iret', 'outermost')).toBeGreaterThanOrEqual(10);
    VERDICTS.slice(1).forEach((name, i) => {
      expect(100 * Math.abs(look(name)[0] - look(VERDICTS[i] ?? '')[0])).toBeGreaterThanOrEqual(4);
    });
  });
});
