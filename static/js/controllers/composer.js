/* The composer: saves an entry. Its text leaves the field only once the server has confirmed it; what was typed
meanwhile stays. */
import { resolve } from "../conflict.js";
import { getState, getTextField, isSaveKey, markConfirmed, setText, showSaveState } from "../editor_state.js";
import { announce } from "../live_region.js";
import { getErrorMessage, post, readBody, showError } from "../request.js";

const TIMEOUT_MS = 20_000;

/* Waits; shorter if the browser comes online or the composer is removed. */
const pause = (ms, signal) =>
  new Promise((finish) => {
    const timer = setTimeout(finish, ms);
    window.addEventListener("online", () => (clearTimeout(timer), finish()), { once: true, signal });
    signal.addEventListener("abort", () => (clearTimeout(timer), finish()), { once: true });
  });

/* Repeats the same key and the same text until the server answers, so that a lost answer never saves a text twice. */
async function retry(form, fields, signal) {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return await post(form.action, copyFields(fields), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      showSaveState(form, "Not saved, trying again", { isError: true });
      await pause(Math.min(30_000, 1000 * 2 ** tries), signal);
    }
  }
  return null;
}

function copyFields(fields) {
  const copy = new FormData();
  for (const [name, value] of fields) copy.set(name, value);
  return copy;
}

/* Sets every field as in the new composer, and takes the saved text out of the box. */
function applySaved(form, newComposer, savedText) {
  const text = getTextField(form).value;
  for (const { name, value, checked } of newComposer.elements) {
    if (name && name !== "text") Object.assign(form.elements.namedItem(name), { value, checked });
  }
  markConfirmed(form, "");
  setText(form, text.startsWith(savedText) ? text.slice(savedText.length).replace(/^\n+/, "") : text);
}

/* Removes what the page said while the day had no entries, and marks the day in the calendar. */
function markDayWritten() {
  for (const element of document.querySelectorAll(".welcome, .empty")) element.remove();
  const cell = document.querySelector(`.calendar .cell[href$="/${document.body.dataset.day}/"]:not(.has-entries)`);
  if (!cell) return;
  cell.classList.replace("has-opening", "has-entries") || cell.classList.add("has-entries");
  cell.querySelector(".visually-hidden")?.remove();
  const words = document.createElement("span");
  words.className = "visually-hidden";
  words.textContent = ", written";
  cell.append(words);
}

/* One text of a conflict was saved as an entry; the other is the draft of the day, as it is after a reload. */
function resolveWithOtherText(form) {
  const message = "Saved. The text from the other window is here now";
  resolve(form, "elsewhere");
  showSaveState(form, message);
  announce(message);
}

function showSaved(form, page, savedText) {
  const entry = page.querySelector?.(".entry");
  const newComposer = page.querySelector?.("#composer");
  if (!entry || !newComposer) return showNotSaved(form, 0, null);
  document.getElementById(entry.id)?.remove();
  document.getElementById("entries").append(entry);
  window.htmx?.process(entry);
  markDayWritten();
  applySaved(form, newComposer, savedText);
  if (getState(form).hasConflict && !getTextField(form).value) resolveWithOtherText(form);
  else showSaveState(form, getTextField(form).value ? "Saved. What you typed meanwhile is still here" : "Saved");
  form.dispatchEvent(new CustomEvent("llamora:entry-saved", { bubbles: true }));
  return entry.scrollIntoView({ block: "nearest" });
}

function showNotSaved(form, status, answer) {
  if (status !== 401) showError(form, getErrorMessage(status, answer));
  showSaveState(form, "Not saved", { isError: true });
}

async function saveEntry(form, signal) {
  const state = getState(form);
  if (state.isSubmitting) return;
  if (!getTextField(form).value.trim()) return showError(form, "There is nothing to save yet.");
  if (getTextField(form).value.isWellFormed?.() === false) {
    return showError(form, "This contains a broken character that can't be saved. Delete it and try again.");
  }
  state.isSubmitting = true;
  showError(form, "");
  showSaveState(form, "Saving");
  await Promise.race([state.draftSave, pause(3000, signal)]);
  const fields = state.unconfirmedFields ?? new FormData(form);
  state.unconfirmedFields = fields;
  const response = await retry(form, fields, signal);
  const answer = response ? await readBody(response) : null;
  state.isSubmitting = false;
  if (!response) return;
  // After any other 5xx the entry may have been saved, so the next try repeats exactly the same fields.
  if (response.status < 500 || response.status === 503) state.unconfirmedFields = null;
  if (response.ok) showSaved(form, answer, fields.get("text").replaceAll("\r\n", "\n"));
  else showNotSaved(form, response.status, answer);
}

function showCharacterCount(form) {
  const limit = Number(form.dataset.limit);
  const text = getTextField(form).value;
  const left = limit && text.length > limit * 0.95 ? limit - [...text].length : Infinity;
  const number = Math.abs(left).toLocaleString();
  const words = left < 0 ? `${number} characters too many` : `${number} characters left`;
  form.querySelector("[data-character-count]").textContent = left < limit * 0.03 ? words : "";
}

export default function attach(form, signal) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    saveEntry(form, signal);
  }, { signal });
  form.addEventListener("keydown", (event) => {
    if (event.target !== getTextField(form) || !isSaveKey(event)) return;
    event.preventDefault();
    form.requestSubmit();
  }, { signal });
  form.addEventListener("input", () => showCharacterCount(form), { signal });
  showCharacterCount(form);
}
