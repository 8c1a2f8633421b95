/** The files beside a door, for programs: text as `lab run` prints it, and JSON. */
import { pages } from 'virtual:library';
import type { APIRoute } from 'astro';
import { codec } from '../literate/codec.ts';
import { checkpointsOf, doorJson, doorsOf, doorText, openDoor } from '../scenario/doors.ts';
import type { Opener } from '../scenario/open-link.ts';
import records from '../scenario/records.json' with { type: 'json' };

const opener: Opener = { pages, records, codec };

/** Where the site lies, without a slash at its end. */
const siteOf = (site: URL | undefined): string =>
  (site?.origin ?? '') + import.meta.env.BASE_URL.replace(/\/$/, '');

const door = (make: typeof doorText): APIRoute => {
  return ({ params: { slug = '', version, checkpoint }, props, site }) => {
    const n = Number(version ?? props.version);
    return new Response(make(openDoor(pages, slug, n, checkpoint), opener, siteOf(site)));
  };
};

export const text = door(doorText);
export const data = door(doorJson);

/** One file a scenario: its newest version. */
export const scenarios = () =>
  doorsOf(pages).map(({ slug, versions: [version] }) => ({ params: { slug }, props: { version } }));

/** One file a version. */
export const versions = () =>
  doorsOf(pages).flatMap((one) =>
    one.versions.map((version) => ({ params: { slug: one.slug, version: String(version) } })),
  );

/** One file a checkpoint of a version. */
export const checkpoints = () =>
  doorsOf(pages).flatMap(({ slug, versions: all }) =>
    all.flatMap((version) =>
      checkpointsOf(openDoor(pages, slug, version)).map((checkpoint) => ({
        params: { slug, version: String(version), checkpoint },
      })),
    ),
  );
