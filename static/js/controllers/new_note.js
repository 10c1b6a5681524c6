/* The form of a new note. Its draft is saved before the form is sent, so that nothing is lost if no answer comes. */
import { saveDraft } from "../draft_save.js";
import { getState, getTextField, isSaveKey } from "../editor_state.js";

async function send(form, submitter) {
  const state = getState(form);
  const isDiscarded = submitter?.matches("[data-discard]");
  await (isDiscarded ? state.draftSave : saveDraft(form));
  // What could not be saved stays on the page, which says why, or is hidden while the diary is locked.
  if (!form.isConnected || (!isDiscarded && (state.hasFailed || state.hasConflict))) return;
  state.isSubmitting = true;
  for (const field of form.querySelectorAll("textarea, input:not([type=hidden])")) field.defaultValue = field.value;
  // In a task of its own: a form is not submitted again while its event is under way.
  setTimeout(() => form.requestSubmit(submitter));
}

export default function attach(form, signal) {
  const listen = (name, act) => form.addEventListener(name, act, { signal });
  listen("input", () => (form.querySelector("[data-discard]").hidden = false));
  listen("submit", (event) => {
    if (getState(form).isSubmitting) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  listen("keydown", (event) => {
    if (event.target === getTextField(form) && isSaveKey(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape" && !event.isComposing) form.querySelector("[data-cancel]").click();
  });
}
