/* Saves a draft, encrypted on the server: shortly after typing stops, every few seconds while it goes on, and when the
page is left. */
import { initConflict } from "../conflict.js";
import { isAtRisk, saveDraft, saveOnLeave } from "../draft_save.js";
import { getState, isDirty } from "../editor_state.js";

const AFTER_TYPING_MS = 600;
const WHILE_TYPING_MS = 4000;
const RETRY_MS = 5000;
const TIMEOUT_MS = 20_000;

export default function attach(form, signal) {
  const state = getState(form);
  let timer, typingSince;
  const schedule = (ms) => {
    clearTimeout(timer);
    typingSince ??= performance.now();
    timer = setTimeout(async () => {
      typingSince = undefined;
      await saveDraft(form, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!signal.aborted && isDirty(form)) schedule(state.hasFailed ? RETRY_MS : AFTER_TYPING_MS);
    }, Math.min(ms, Math.max(0, typingSince + WHILE_TYPING_MS - performance.now())));
  };
  const scheduleIfDirty = () => isDirty(form) && schedule(0);
  signal.addEventListener("abort", () => clearTimeout(timer));
  form.addEventListener("input", () => schedule(AFTER_TYPING_MS), { signal });
  form.addEventListener("llamora:entry-saved", scheduleIfDirty, { signal });
  form.addEventListener("llamora:entry-refused", scheduleIfDirty, { signal });
  initConflict(form, signal);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") saveOnLeave(form);
  }, { signal });
  window.addEventListener("pagehide", () => saveOnLeave(form), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (isAtRisk(form)) event.preventDefault();
  }, { signal });
  scheduleIfDirty();
}
