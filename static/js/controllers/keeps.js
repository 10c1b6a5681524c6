/* A form of words that has no draft: to leave it half written is asked about, to send it is not. */
import { isDirty } from "../writing.js";

export default function attach(form, signal) {
  let isSent = false;
  form.addEventListener("submit", () => (isSent = true), { signal });
  window.addEventListener("beforeunload", (event) => !isSent && isDirty(form) && event.preventDefault(), { signal });
}
