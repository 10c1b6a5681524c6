/* Asks the server how strong a password is, a moment after typing stops. */
import { fragment, post } from "../request.js";

const AFTER = 350;

export default function attach(place, signal) {
  const field = document.getElementById(place.dataset.field);
  let later;
  let asking;
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const name = field.form.elements.namedItem("name")?.value ?? "";
    try {
      const response = await post(place.dataset.url, { password: field.value, name }, { signal: asking.signal, quietly: true });
      if (response.ok) place.replaceChildren(fragment(await response.text()));
    } catch {
      // A meter that cannot be asked stays as it is; the server judges again when the form is sent.
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(field.value ? ask : () => place.replaceChildren(), AFTER);
  }, { signal });
  signal.addEventListener("abort", () => clearTimeout(later));
}
