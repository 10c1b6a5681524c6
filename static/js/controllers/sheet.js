/* On a phone the touched sheet fills what the keyboard leaves of the screen. */
import { field } from "../writing.js";

export default function attach(form, signal) {
  const phone = window.matchMedia("(max-width: 48rem)");
  const view = window.visualViewport;
  const measure = () => {
    form.style.setProperty("--visible", `${view.height}px`);
    form.style.setProperty("--visible-top", `${view.offsetTop}px`);
  };
  const close = () => {
    if (!("open" in form.dataset)) return;
    form.removeAttribute("data-open");
    field(form).blur();
    // One line is in sight now: the first.
    field(form).scrollTop = 0;
  };
  // A tablet may become as narrow as a phone, or cease to be, in the middle of a sentence.
  const turned = () => form.toggleAttribute("data-open", phone.matches && document.activeElement === field(form));
  form.addEventListener("focusin", ({ target }) => {
    if (target === field(form) && phone.matches) form.dataset.open = "";
  }, { signal });
  // The keyboard has gone on to something the sheet would cover.
  document.addEventListener("focusin", ({ target }) => {
    if (!form.contains(target)) form.removeAttribute("data-open");
  }, { signal });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && close(), { signal });
  form.addEventListener("kept", close, { signal });
  form.querySelector("[data-close]").addEventListener("click", close, { signal });
  phone.addEventListener("change", turned, { signal });
  if (!view) return;
  view.addEventListener("resize", measure, { signal });
  view.addEventListener("scroll", measure, { signal });
  measure();
}
