/* Saves what is being typed, sealed, on the server: a moment after typing stops, and when the page is left. */
import { post, read, sentence } from "../request.js";
import { listen, tear } from "../torn.js";
import { confirmed, draftRevision, field, isDirty, say, writing } from "../writing.js";

const AFTER = 600;
const named = (form, name) => form.elements.namedItem(name);

async function send(form, options) {
  const text = field(form).value;
  const fields = { owner: named(form, "owner").value, revision: draftRevision(form).value, text };
  if (named(form, "entry")) {
    fields.entry = named(form, "entry").value;
    fields.based_on = named(form, "revision").value;
  }
  const headers = { Accept: "application/json" };
  const response = await post(form.dataset.draftUrl, fields, { ...options, headers });
  const answer = await read(response);
  if (response.ok) saved(form, text, answer);
  else if (response.status === 409 && answer.text !== undefined) disagree(form, answer);
  else throw new Error(sentence(response.status, answer));
}

function saved(form, text, answer) {
  writing(form).failed = false;
  draftRevision(form).value = answer.revision;
  confirmed(form, text);
  form.removeAttribute("data-dirty");
  say(form, text && answer.saved_at ? `Draft saved ${answer.saved_at}` : "");
}

function disagree(form, answer) {
  if (answer.text === field(form).value) saved(form, answer.text, { revision: answer.revision });
  else tear(form, answer);
}

export async function save(form, options = {}) {
  const state = writing(form);
  if (state.keeping || state.conflict || !isDirty(form)) return;
  await state.saving;
  say(form, "Saving");
  state.saving = send(form, options).catch((error) => {
    state.failed = true;
    const words = error instanceof TypeError || error.name === "TimeoutError" ? sentence(0) : error.message;
    say(form, `Not saved: ${words}`, { amiss: true });
  });
  await state.saving;
  state.saving = null;
}

export default function attach(form, signal) {
  const state = writing(form);
  let later;
  const soon = (ms) => {
    clearTimeout(later);
    later = setTimeout(async () => {
      await save(form, { signal: AbortSignal.timeout(20_000) });
      if (!signal.aborted && isDirty(form)) soon(state.failed ? 5000 : AFTER);
    }, ms);
  };
  const now = () => document.visibilityState === "hidden" && save(form, { keepalive: field(form).value.length < 20_000 });
  signal.addEventListener("abort", () => clearTimeout(later));
  form.addEventListener("input", () => soon(AFTER), { signal });
  form.addEventListener("kept", () => isDirty(form) && soon(0), { signal });
  listen(form, signal);
  document.addEventListener("visibilitychange", now, { signal });
  window.addEventListener("pagehide", now, { signal });
  // Only when a save has failed, or the keeping of it is still being tried, would leaving lose words.
  window.addEventListener("beforeunload", (event) => {
    if (isDirty(form) && (state.failed || state.conflict || state.keeping)) event.preventDefault();
  }, { signal });
  if (isDirty(form)) soon(0);
}
