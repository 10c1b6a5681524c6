/* Saves what is being typed, sealed, on the server: a moment after typing stops, and when the page is left. */
import { post, read, sentence } from "../request.js";
import { confirmed, field, isDirty, say, setText, writing } from "../writing.js";

const AFTER = 600;
const named = (form, name) => form.elements.namedItem(name);
/* A form that changes an entry knows two: that of its draft, and that of the entry the change is based on. */
const revision = (form) => named(form, "draft_revision") ?? named(form, "revision");

async function send(form, options) {
  const text = field(form).value;
  const fields = { owner: named(form, "owner").value, revision: revision(form).value, text };
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
  revision(form).value = answer.revision;
  confirmed(form, text);
  form.removeAttribute("data-dirty");
  say(form, text && answer.saved_at ? `Draft saved ${answer.saved_at}` : "");
}

function disagree(form, { revision: theirs, text }) {
  if (text === field(form).value) return saved(form, text, { revision: theirs });
  const place = form.querySelector("[data-conflict]");
  writing(form).conflict = true;
  place.hidden = false;
  place.dataset.revision = theirs;
  place.querySelector("[data-other]").textContent = text;
  return say(form, "Not saved: two texts", { amiss: true });
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

function settle(form, text) {
  const place = form.querySelector("[data-conflict]");
  const theirs = place.querySelector("[data-other]").textContent;
  revision(form).value = place.dataset.revision ?? revision(form).value;
  confirmed(form, theirs);
  place.hidden = true;
  place.querySelector("[data-other]").textContent = "";
  Object.assign(writing(form), { conflict: false, failed: false });
  say(form, "");
  setText(form, text(field(form).value, theirs));
  field(form).focus();
}

export default function attach(form, signal) {
  const state = writing(form);
  const place = form.querySelector("[data-conflict]");
  let later;
  const soon = (ms) => {
    clearTimeout(later);
    later = setTimeout(async () => {
      await save(form, { signal: AbortSignal.timeout(20_000) });
      if (!signal.aborted && isDirty(form)) soon(state.failed ? 5000 : AFTER);
    }, ms);
  };
  const now = () => document.visibilityState === "hidden" && save(form, { keepalive: field(form).value.length < 20_000 });
  state.conflict ||= !place.hidden;
  signal.addEventListener("abort", () => clearTimeout(later));
  form.addEventListener("input", () => soon(AFTER), { signal });
  form.addEventListener("kept", () => isDirty(form) && soon(0), { signal });
  place.querySelector("[data-add]").addEventListener("click", () => settle(form, (own, other) => `${own}\n\n${other}`), { signal });
  place.querySelector("[data-use]").addEventListener("click", () => settle(form, (own, other) => other), { signal });
  place.querySelector("[data-mine]").addEventListener("click", () => settle(form, (own) => own), { signal });
  document.addEventListener("visibilitychange", now, { signal });
  window.addEventListener("pagehide", now, { signal });
  // Only when a save has failed, or the keeping of it is still being tried, would leaving lose words.
  window.addEventListener("beforeunload", (event) => {
    if (isDirty(form) && (state.failed || state.conflict || state.keeping)) event.preventDefault();
  }, { signal });
  if (isDirty(form)) soon(0);
}
