/* Saves what is being typed, sealed, on the server: a moment after typing stops, every few seconds while it goes on, and
when the page is left. */
import { isAtRisk, save, saveGoing } from "../saving.js";
import { listen } from "../torn.js";
import { isDirty, writing } from "../writing.js";

const AFTER = 600;
const LONGEST = 4000;

export default function attach(form, signal) {
  const state = writing(form);
  let later, begun;
  const soon = (ms) => {
    clearTimeout(later);
    begun ??= performance.now();
    later = setTimeout(async () => {
      begun = undefined;
      await save(form, { signal: AbortSignal.timeout(20_000) });
      if (!signal.aborted && isDirty(form)) soon(state.failed ? 5000 : AFTER);
    }, Math.min(ms, Math.max(0, begun + LONGEST - performance.now())));
  };
  const going = () => document.visibilityState === "hidden" && saveGoing(form);
  signal.addEventListener("abort", () => clearTimeout(later));
  form.addEventListener("input", () => soon(AFTER), { signal });
  form.addEventListener("kept", () => isDirty(form) && soon(0), { signal });
  listen(form, signal);
  document.addEventListener("visibilitychange", going, { signal });
  window.addEventListener("pagehide", () => saveGoing(form), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (isAtRisk(form)) event.preventDefault();
  }, { signal });
  if (isDirty(form)) soon(0);
}
