/* The form that edits an entry: the save key saves, Escape closes. What is typed is saved as a draft (draft.js) and
comes back when the form is opened again, until it is saved or discarded. */
import { saveDraft } from "../draft_save.js";
import { getState, getTextField, isDirty, isSaveKey, setText } from "../editor_state.js";

/* Delays a request until the drafts that were sent have been answered, so that they cannot arrive after it. */
async function waitForDraft(form, { elt, issueRequest }) {
  const state = getState(form);
  if (elt.matches("[data-cancel]")) {
    await saveDraft(form);
    // A text that could not be saved stays on the page; only the other button discards it.
    if (state.hasFailed || state.hasConflict) return;
  }
  state.isSubmitting = true;
  await state.draftSave;
  issueRequest(true);
}

/* From the first change on there is a draft: closing keeps it, and it can be discarded. */
function showDraftButtons(form) {
  form.querySelector("[data-discard]").hidden = false;
  const cancel = form.querySelector("[data-cancel]");
  if (cancel.textContent === "Cancel") cancel.textContent = "Close";
}

function appendSavedText(form, button) {
  setText(form, `${getTextField(form).value}\n\n${form.querySelector("[data-saved-text]").textContent}`);
  button.hidden = true;
  getTextField(form).focus();
}

export default function attach(form, signal) {
  const listen = (name, act) => form.addEventListener(name, act, { signal });
  const appendButton = form.querySelector("[data-append]");
  if (!form.contains(document.activeElement)) getTextField(form).focus();
  if (isDirty(form)) showDraftButtons(form);
  listen("input", () => showDraftButtons(form));
  listen("htmx:confirm", (event) => {
    event.preventDefault();
    waitForDraft(form, event.detail);
  });
  listen("htmx:afterRequest", () => {
    getState(form).isSubmitting = false;
    // A form that is still here was refused; its draft goes on being saved.
    if (form.isConnected) form.dispatchEvent(new CustomEvent("llamora:entry-refused"));
  });
  listen("keydown", (event) => {
    if (event.target === getTextField(form) && isSaveKey(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape" && !event.isComposing) form.querySelector("[data-cancel]").click();
  });
  if (!appendButton) return;
  appendButton.hidden = false;
  appendButton.addEventListener("click", () => appendSavedText(form, appendButton), { signal });
}
