// Keeps the laboratory, and each page that was opened, for use without a network, unless the reader said no.
(() => {
  const container = navigator.serviceWorker;
  const base = new URL('.', document.currentScript.src).pathname;
  const prefix = `entrylab ${base} `;
  const place = document.querySelector('[data-offline]');
  const says = place?.querySelector('[role=status]');
  const button = place?.querySelector('button');
  const tell = (text) => {
    if (says) says.textContent = text;
  };
  if (!container) {
    tell('This browser keeps nothing: the address is not a secure one, or it has no service workers.');
    return;
  }
  const choice = () => {
    try {
      return localStorage.getItem('offline');
    } catch {
      return null; // storage refused: the choice lasts as long as the page
    }
  };
  // Who asks to save data did not ask for half a megabyte.
  const refused = () => choice() === 'no' || (choice() !== 'yes' && navigator.connection?.saveData === true);
  const ours = async () => (await caches.keys()).filter((name) => name.startsWith(prefix));

  const report = () => tellWhatIsKept().catch(() => tell('This browser lets nothing be kept.')); // a private window

  async function tellWhatIsKept() {
    if (button) {
      button.hidden = false;
      button.textContent = refused() ? 'Keep it again' : 'Forget it, and keep nothing';
    }
    if (refused()) return tell('Nothing is kept on this machine, as you or this browser asked.');
    const [name] = container.controller ? await ours() : [];
    if (!name) return tell('Not kept yet.');
    const paths = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
    const pages = paths.filter((path) => path.endsWith('/')).length;
    tell(`Kept on this machine: ${pages} ${pages === 1 ? 'page' : 'pages'}, ${paths.length} files in all.`);
  }

  /** A page that came before the worker did is asked for once more, through it. */
  async function keepThisPage() {
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    const own = loaded.filter((url) => url.startsWith(location.origin + base));
    await Promise.all([location.pathname, ...own].map((url) => fetch(url).catch(() => undefined)));
    await report();
  }

  async function keep() {
    try {
      await container.register(`${base}sw.js`, { scope: base });
    } catch {
      tell('Nothing could be kept on this machine.'); // no space
    }
  }

  async function forget() {
    await (await container.getRegistration(base))?.unregister();
    await Promise.all((await ours()).map((name) => caches.delete(name)));
  }

  container.addEventListener('controllerchange', keepThisPage);
  button?.addEventListener('click', async () => {
    const keeps = refused();
    try {
      localStorage.setItem('offline', keeps ? 'yes' : 'no');
    } catch {
      // see above
    }
    await (keeps ? keep() : forget());
    await report();
  });
  addEventListener('load', () => {
    report();
    // First the page, then what comes after it.
    if (!refused()) (window.requestIdleCallback ?? setTimeout)(keep);
  });
})();
