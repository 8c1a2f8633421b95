// All scenarios, for programs: what opens under /s/, the newest version first.
import { pages } from 'virtual:library';
import type { APIRoute } from 'astro';
import { checkpointsOf, doorsOf, openDoor } from '../../scenario/doors.ts';

export const GET: APIRoute = () =>
  new Response(
    `${JSON.stringify(
      doorsOf(pages).map(({ slug, versions }) => ({
        slug,
        versions: versions.map((version) => ({
          version,
          checkpoints: checkpointsOf(openDoor(pages, slug, version)),
        })),
      })),
      null,
      1,
    )}\n`,
  );
