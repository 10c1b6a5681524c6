/* The state of a form that edits text, shared by the modules that work on it.

It is held per form, so it survives a lock, which takes the form out of the page, and the unlock that puts it back. */
const states = new WeakMap();

export function getState(form) {
  if (!states.has(form)) {
    states.set(form, {
      // The entry itself is being saved, not its draft.
      isSubmitting: false,
      // What was submitted and may or may not have been saved.
      unconfirmedFields: null,
      // The text that was not chosen in a conflict.
      droppedText: "",
      // The promise of the draft saves under way.
      draftSave: null,
      draftSaveStart: null,
      // The text that was sent when the page was hidden.
      sentOnLeave: null,
      sentTexts: [],
      // Sent as a draft, no answer yet.
      unansweredText: "",
      hasFailed: false,
      hasConflict: false,
    });
  }
  return states.get(form);
}

const getInputs = (form) => [...form.querySelectorAll("textarea, input:not([type=hidden])")];

/* The text of an entry, or the first field there is. */
export const getTextField = (form) => form.elements.namedItem("text") ?? getInputs(form)[0];

/* A form that edits an entry has two revisions: of its draft, and of the entry that the change is based on. */
export const getDraftRevision = (form) =>
  form.elements.namedItem("draft_revision") ?? form.elements.namedItem("revision");

/* `defaultValue` is the text that the server last confirmed. */
export const isDirty = (form) =>
  form.hasAttribute("data-dirty") || getInputs(form).some((input) => input.value !== input.defaultValue);

/* Whether text is in the form and nowhere else: unsaved, or dropped in a conflict and still restorable. */
export const hasUnsavedText = (form) => isDirty(form) || Boolean(getState(form).droppedText);

function insertNewline(event) {
  event.preventDefault();
  document.execCommand("insertText", false, "\n");
}

/* Whether a key saves: Ctrl+Enter, or Enter alone if the person has chosen that. Where Enter saves, Ctrl+Enter and
Shift+Enter make a new line; a phone has neither, so there Enter stays a new line. */
export function isSaveKey(event) {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return false;
  const hasModifier = event.ctrlKey || event.metaKey;
  if (!("enterSaves" in document.body.dataset) || matchMedia("(pointer: coarse)").matches) return hasModifier;
  if (hasModifier) insertNewline(event);
  return !hasModifier;
}

export function markConfirmed(form, text) {
  getTextField(form).defaultValue = text;
}

/* Shows a short message about saving. An error is announced as well, unless a longer message is announced elsewhere. */
export function showSaveState(form, message, { isError = false, isAnnounced = isError } = {}) {
  const element = form.querySelector("[data-save-state]");
  if (!element) return;
  element.textContent = message;
  element.classList.toggle("error", isError);
  if (isAnnounced) element.setAttribute("role", "alert");
  else element.removeAttribute("role");
}

/* Sets a text without moving the caret when the text only grew or shrank at its end. */
export function setText(form, text) {
  const field = getTextField(form);
  const { selectionStart, selectionEnd } = field;
  field.value = text;
  if (document.activeElement === field) field.setSelectionRange(selectionStart, selectionEnd);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
