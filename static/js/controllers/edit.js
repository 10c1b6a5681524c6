/* An entry being edited: the keys of the composer save, Escape closes. What is typed is saved as a draft (draft.js) and comes
back when the form is opened again, until it is saved or discarded. */
import { save } from "../saving.js";
import { field, isDirty, meansKeep, setText, writing } from "../writing.js";

/* A draft under way arrives before what is asked of the server now, never after it. */
async function settle(form, { elt, issueRequest }) {
  const state = writing(form);
  if (elt.matches("[data-cancel]")) {
    await save(form);
    // What could not be saved stays on the page; letting go of it is another button.
    if (state.failed || state.conflict) return;
  }
  state.keeping = true;
  await state.saving;
  issueRequest(true);
}

/* From the first change on, leaving keeps it, and it can be let go. */
function begun(form) {
  form.querySelector("[data-discard]").hidden = false;
  const leave = form.querySelector("[data-cancel]");
  if (leave.textContent === "Cancel") leave.textContent = "Close";
}

function join(form, button) {
  setText(form, `${field(form).value}\n\n${form.querySelector("[data-kept]").textContent}`);
  button.hidden = true;
  field(form).focus();
}

export default function attach(form, signal) {
  const listen = (name, act) => form.addEventListener(name, act, { signal });
  const button = form.querySelector("[data-join]");
  if (!form.contains(document.activeElement)) field(form).focus();
  if (isDirty(form)) begun(form);
  listen("input", () => begun(form));
  listen("htmx:confirm", (event) => {
    event.preventDefault();
    settle(form, event.detail);
  });
  listen("htmx:afterRequest", () => {
    writing(form).keeping = false;
    // Still here: it was refused, and the draft goes on being saved.
    if (form.isConnected) form.dispatchEvent(new CustomEvent("kept"));
  });
  listen("keydown", (event) => {
    if (event.target === field(form) && meansKeep(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === "Escape" && !event.isComposing) form.querySelector("[data-cancel]").click();
  });
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => join(form, button), { signal });
}
