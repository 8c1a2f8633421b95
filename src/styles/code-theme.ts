import type { ThemeRegistrationRaw } from 'shiki';

/**
 * The highlighter's theme: weight and three greys. Hue is kept for records and verdicts, so code has none;
 * the values are tokens, so one theme serves light, dark and print.
 */
export const ink = {
  name: 'ink',
  type: 'light',
  fg: 'var(--ink)',
  bg: 'var(--sunken)',
  settings: [
    { settings: { foreground: 'var(--ink)', background: 'var(--sunken)' } },
    { scope: ['comment', 'punctuation.definition.comment'], settings: { foreground: 'var(--ink-3)' } },
    {
      scope: [
        'string',
        'constant',
        'keyword.control.directive',
        'punctuation',
        'keyword.operator',
        'support.type',
      ],
      settings: { foreground: 'var(--ink-2)' },
    },
    {
      scope: [
        'keyword.other.mnemonic',
        'entity.name.function.att',
        'keyword.control',
        'storage',
        'keyword.operator.new',
      ],
      settings: { foreground: 'var(--ink)', fontStyle: 'bold' },
    },
    { scope: 'keyword.control.directive', settings: { foreground: 'var(--ink-2)', fontStyle: '' } },
  ],
} satisfies ThemeRegistrationRaw;
