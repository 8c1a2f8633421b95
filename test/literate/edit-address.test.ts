import { expect, test } from 'vitest';
import { editAddress } from '../../src/literate/edit-address.ts';

test('the address of a line of a page; none where none is configured', () => {
  const pattern = 'https://example.org/edit/{path}#L{line}';
  expect(editAddress('notebooks/designs/linux-4.2.mdx', 12, pattern)).toBe(
    'https://example.org/edit/notebooks/designs/linux-4.2.mdx#L12',
  );
  expect(editAddress('a b.mdx', 1, 'https://example.org/{path}')).toBe('https://example.org/a%20b.mdx');
  expect(editAddress('a.mdx', 1, '')).toBeUndefined();
  expect(() => editAddress('a.mdx', 1, 'https://example.org/')).toThrow(
    'invalid ENTRYLAB_EDIT: https://example.org/ (missing {path})',
  );
});
