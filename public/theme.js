// Puts the chosen theme on the page before it is drawn for the first time; src/ui/browser.ts keeps the choice.
try {
  const theme = localStorage.getItem('kadreel-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage: the system's theme.
}
