/* For a form with text that has no draft: asks before the page is left, and does not leave it for a server that is away.
Submitting the form does not ask; the key that saves an entry presses its first button. */
import { getState, isDirty, isSaveKey } from "../editor_state.js";
import { getErrorMessage, showError } from "../request.js";

const TIMEOUT_MS = 10_000;

async function isServerReachable() {
  try {
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

/* Sends a form that leaves the page, unless the browser would show its own page about the server in place of it. */
async function send(form, submitter) {
  if (!(await isServerReachable())) return showError(form, getErrorMessage(0));
  if (!form.isConnected) return;
  getState(form).isSubmitting = true;
  form.requestSubmit(submitter);
}

export default function attach(form, signal) {
  const state = getState(form);
  const isByScript = form.hasAttribute("hx-post");
  let sending;
  form.addEventListener("submit", (event) => {
    if (state.isSubmitting || isByScript) return (state.isSubmitting = true);
    event.preventDefault();
    sending ??= send(form, event.submitter).finally(() => (sending = undefined));
  }, { signal });
  form.addEventListener("keydown", (event) => {
    if (!event.target.matches("textarea") || !isSaveKey(event)) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("button:not([type=button])"));
  }, { signal });
  // It was refused, or there was no answer, if it is still here.
  form.addEventListener("htmx:afterRequest", () => (state.isSubmitting = false), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (!state.isSubmitting && isDirty(form)) event.preventDefault();
  }, { signal });
}
