/* A conflict: the text of this page and the text that was saved elsewhere are shown side by side until one is chosen.
The text that is not chosen is held in the form and can be restored. */
import { getDraftRevision, getState, getTextField, markConfirmed, setText, showSaveState } from "./editor_state.js";
import { announce } from "./live_region.js";

const getConflictBox = (form) => form.querySelector("[data-conflict]");
const getOtherTextBox = (form) => getConflictBox(form).querySelector("[data-other-text]");
const joinTexts = (...texts) => texts.filter((text) => text.trim()).join("\n\n");

/* For each button: the text to go on with, the text that is dropped, and what is announced. */
const CHOICES = {
  both: (here, elsewhere) => ({
    text: joinTexts(here, elsewhere),
    message: "Both texts are in the box, one below the other.",
  }),
  here: (here, elsewhere) => ({
    text: here,
    dropped: elsewhere,
    message: "The text from the other window was discarded.",
  }),
  elsewhere: (here, elsewhere) => ({
    text: elsewhere,
    dropped: here,
    message: "The text from this window was discarded.",
  }),
};

/* Beside a second text, the label of the text field says which text it is, and is visible. */
function toggleConflict(form, isShown) {
  form.toggleAttribute("data-in-conflict", isShown);
  getConflictBox(form).hidden = !isShown;
  const [label] = getTextField(form).labels;
  if (!label.dataset.labelConflict) return;
  label.textContent = isShown ? label.dataset.labelConflict : label.dataset.labelAlone;
  label.classList.toggle("visually-hidden", !isShown);
}

export function showConflict(form, { revision, text, saved_at: savedAt }) {
  getState(form).hasConflict = true;
  getConflictBox(form).dataset.revision = revision;
  getOtherTextBox(form).textContent = text;
  getConflictBox(form).querySelector("[data-saved-at]").textContent = savedAt ? `, saved ${savedAt}` : "";
  toggleConflict(form, true);
  // The explanation above the texts is announced already.
  showSaveState(form, "Not saved: two texts", { isError: true, isAnnounced: false });
}

function offerRestore(form, droppedText, message) {
  const notice = form.querySelector("[data-dropped-text]");
  getState(form).droppedText = droppedText;
  notice.hidden = !droppedText;
  if (message) notice.querySelector("span").textContent = message;
}

/* Goes on with one of CHOICES and returns the message about it. */
export function resolve(form, choice) {
  const elsewhere = getOtherTextBox(form).textContent;
  const { text, dropped = "", message } = CHOICES[choice](getTextField(form).value, elsewhere);
  getDraftRevision(form).value = getConflictBox(form).dataset.revision ?? getDraftRevision(form).value;
  markConfirmed(form, elsewhere);
  getOtherTextBox(form).textContent = "";
  Object.assign(getState(form), { hasConflict: false, hasFailed: false });
  toggleConflict(form, false);
  showSaveState(form, "");
  // Text that was dropped earlier in this form stays restorable.
  offerRestore(form, joinTexts(getState(form).droppedText, dropped), dropped.trim() && message);
  setText(form, text);
  return message;
}

function restoreDroppedText(form) {
  const { droppedText } = getState(form);
  offerRestore(form, "");
  setText(form, joinTexts(getTextField(form).value, droppedText));
  return "The discarded text is back, below the rest.";
}

export function initConflict(form, signal) {
  const onClick = (button, act) => button.addEventListener("click", () => {
    announce(act());
    getTextField(form).focus();
  }, { signal });
  for (const button of form.querySelectorAll("[data-choose]")) {
    onClick(button, () => resolve(form, button.dataset.choose));
  }
  onClick(form.querySelector("[data-restore]"), () => restoreDroppedText(form));
  getState(form).hasConflict ||= !getConflictBox(form).hidden;
}
