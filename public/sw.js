// Takes the service worker that was here before out of a reader's browser, with all that it kept. A build puts
// another in its place (src/cli/offline/); the development server, and a site that keeps nothing, have this one.
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => {
  const forget = async () => {
    const prefix = `entrylab ${new URL('.', location.href).pathname} `;
    const ours = (await caches.keys()).filter((name) => name.startsWith(prefix));
    await Promise.all(ours.map((name) => caches.delete(name)));
    await registration.unregister();
  };
  event.waitUntil(forget());
});
