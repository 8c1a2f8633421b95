// Runs before the first paint, as a file of its own: the policy of the site refuses inline scripts.
// Without a choice the page follows the system; a choice is kept in this browser.
(() => {
  const root = document.documentElement;
  const kept = () => {
    try {
      return localStorage.getItem('theme');
    } catch {
      return null; // storage refused: the choice lasts as long as the page
    }
  };
  const show = (theme) => {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  show(kept());
  addEventListener('storage', ({ key, newValue }) => {
    if (key === 'theme') show(newValue);
  });
  addEventListener('DOMContentLoaded', () => {
    const button = document.querySelector('[data-theme-button]');
    if (!button) return;
    const system = matchMedia('(prefers-color-scheme: dark)');
    const dark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
    const name = () => button.setAttribute('aria-pressed', String(dark()));
    system.addEventListener('change', name);
    addEventListener('storage', name);
    button.addEventListener('click', () => {
      const theme = dark() ? 'light' : 'dark';
      show(theme);
      name();
      try {
        localStorage.setItem('theme', theme);
      } catch {
        // see above
      }
    });
    name();
  });
})();
