import { defineCollection } from 'astro:content';
import { glob } from 'astro/loaders';
import { z } from 'zod';

const schema = z.object({
  title: z.string(),
  description: z.string(),
  /** Place of a design in reading order; without one it comes last. */
  order: z.number().optional(),
  /** Of a design: whether it tells how another event than the NMI is entered. */
  neighbour: z.boolean().optional(),
  /** Place of a page among the first steps. */
  step: z.number().optional(),
  /** Slug of the page that its cells stood on before. */
  formerly: z.string().optional(),
  /** What the page of a historic bug says of it: see `BugFacts`. */
  bug: z
    .string()
    .regex(/^[A-Z]\d+$/)
    .optional(),
  kernels: z.string().optional(),
  fix: z.string().optional(),
  found: z.enum(['blind', 'confirmed']).optional(),
});
const folder = (base: string) =>
  defineCollection({
    // The id is the path as it stands: the usual one drops the dot of linux-4.2.
    loader: glob({ base, pattern: '**/*.mdx', generateId: ({ entry }) => entry.replace(/\.mdx$/, '') }),
    schema,
  });

export const collections = { content: folder('./content'), notebooks: folder('./notebooks') };
