// Looking again at what goes on by itself: until the page is left, and never in a tab that nobody sees.

/**
 * Looks again and again, `wait()` milliseconds apart; a tab that nobody sees asks nothing, and looks at once when it is seen. What goes wrong is told in the
 * element `state`, if there is one, for as long as it does. Returns `now()`: look at once.
 */
export function looking(look, wait, signal, state = null) {
  let timer = null;
  let busy = false;
  let again = false;
  const later = () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(now, wait());
  };
  async function now() {
    clearTimeout(timer);
    if (signal.aborted || document.hidden) return;
    if (busy) {
      again = true;   // what is on its way may be of a moment ago
      return;
    }
    busy = true;
    let trouble = '';
    try {
      await look();
    } catch (error) {
      trouble = error.message;   // what is shown is of a moment ago; the next look may bring more
      if (!signal.aborted) console.warn(error);
    }
    busy = false;
    if (state && !signal.aborted && state.textContent !== trouble) state.textContent = trouble;
    if (again) {
      again = false;
      now();
    } else later();
  }
  document.addEventListener('visibilitychange', now, {signal});
  signal.addEventListener('abort', () => clearTimeout(timer));
  later();
  return now;
}
