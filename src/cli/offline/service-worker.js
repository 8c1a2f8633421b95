// @ts-nocheck The globals of a service worker are not those of a page.
// The build writes PREFIX, BUILD, BASE, FILES and NEEDS above this text; see offline.ts.
//
// What has a hash in its name never changes: kept is as good as fetched. Everything else is asked of the network
// first, so that nobody who has one sees an old page. A worker of another build waits until no page of the one before
// is open: those pages go on with what they came with.
const CACHE = PREFIX + BUILD;
const HASHED = `${BASE}_astro/`;

addEventListener('install', (event) => {
  // The browser's own cache may hold an older laboratory; of what has a hash it can only hold the same.
  const fresh = (path) => new Request(path, { cache: path.startsWith(HASHED) ? 'default' : 'reload' });
  const files = FILES.map((file) => fresh(BASE + file));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
});

addEventListener('activate', (event) => {
  const forget = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(forget());
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin || !pathname.startsWith(BASE)) return;
  event.respondWith(pathname.startsWith(HASHED) ? keptFirst(event, pathname) : networkFirst(event, pathname));
});

const kept = (path) => caches.match(path, { cacheName: CACHE });

async function fetched(event, path) {
  const response = await fetch(event.request);
  if (response.ok && response.type === 'basic' && !response.redirected)
    event.waitUntil(keep(path, response.clone()).catch(() => {})); // a full disk is no reason to answer nothing
  return response;
}

/** What is put into it once the reader had it forgotten is nowhere: a page that is open has this worker to its end. */
let opened;
async function keep(path, response) {
  if (!opened && (await caches.has(CACHE))) opened = await caches.open(CACHE);
  if (!opened) return;
  const page = path.endsWith('/') ? await response.clone().text() : '';
  // What the page asks for only when something in it is used comes with it.
  const needed = Object.entries(NEEDS).flatMap(([mark, files]) => (page.includes(mark) ? files : []));
  const missing = new Set();
  for (const file of needed) if (!(await opened.match(BASE + file))) missing.add(BASE + file);
  await opened.addAll([...missing]);
  await opened.put(path, response);
}

const keptFirst = async (event, path) => (await kept(path)) ?? fetched(event, path);

async function networkFirst(event, path) {
  try {
    return await fetched(event, path);
  } catch (error) {
    const found = await kept(path);
    if (found) return found;
    if (event.request.mode === 'navigate') return notKept();
    throw error;
  }
}

/** Stands for a page that was never opened: it names those that were. */
async function notKept() {
  const pages = (await (await caches.open(CACHE)).keys())
    .map(({ url }) => new URL(url).pathname)
    .filter((path) => path.endsWith('/'))
    .sort();
  const links = pages.map((path) => `<li><a href="${path}">${decodeURI(path).replace(/[<&]/g, '')}</a></li>`);
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>No network - entrylab</title>
<main><h1>No network, and this page was not opened before</h1><p>These pages are kept on this machine:</p>
<ul>${links.join('')}</ul></main></html>`;
  return new Response(text, { status: 503, headers: { 'content-type': 'text/html; charset=utf-8' } });
}
