/* Asks the server how strong a password is, shortly after typing stops. */
import { parseFragment, post } from "../request.js";

const AFTER_TYPING_MS = 350;

export default function attach(container, signal) {
  const field = document.getElementById(container.dataset.field);
  let timer;
  let request;
  const ask = async () => {
    request?.abort();
    request = new AbortController();
    const fields = { password: field.value, name: field.form.elements.namedItem("name")?.value ?? "" };
    try {
      const response = await post(container.dataset.url, fields, { signal: request.signal, ignoreLock: true });
      if (response.ok) container.replaceChildren(parseFragment(await response.text()));
    } catch {
      // Without an answer the meter stays as it is; the server checks the password again when the form is sent.
    }
  };
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(field.value ? ask : () => container.replaceChildren(), AFTER_TYPING_MS);
  };
  field.addEventListener("input", schedule, { signal });
  // Something may have been typed before this was loaded.
  if (field.value) schedule();
  signal.addEventListener("abort", () => clearTimeout(timer));
}
