// Following what comes in by long poll: one question at a time, held open by the server; a server that has gone is asked less and less often.

const FIRST_PAUSE = 1000;   // milliseconds
const LONGEST_PAUSE = 30_000;
const IDLE = 1000;          // an empty answer that came sooner than this was not waited for: nobody may ask in a tight circle

const sleep = (milliseconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, {once: true});
});

/**
 * Asks for what comes from number `after` on until the signal says stop: `ask(after, signal)` answers {next, events}. `answered` is told of the events and
 * of the number to go on from; `lost` of the milliseconds until the next attempt. Throws a refusal that asking again cannot mend.
 */
export async function follow({ask, after, answered, lost, signal}) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    const asked = performance.now();
    let told;
    try {
      told = await ask(after, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
      lost(pause);
      await sleep(pause, signal);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      continue;
    }
    if (signal.aborted) return;   // not shown, so not counted as seen
    [after, pause] = [told.next, FIRST_PAUSE];
    answered(told.events, after);
    if (!told.events.length && performance.now() - asked < IDLE) await sleep(IDLE, signal);
  }
}
