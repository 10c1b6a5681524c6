/* Asks before a page is left with unsaved text in a form that has no draft. Submitting the form does not ask. */
import { isDirty } from "../editor_state.js";

export default function attach(form, signal) {
  let isSubmitted = false;
  form.addEventListener("submit", () => (isSubmitted = true), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (!isSubmitted && isDirty(form)) event.preventDefault();
  }, { signal });
}
