/* On a phone, the focused composer becomes a sheet that fills the screen above the on-screen keyboard. */
import { getTextField } from "../editor_state.js";

export default function attach(form, signal) {
  const phone = window.matchMedia("(max-width: 48rem)");
  const viewport = window.visualViewport;
  const measure = () => {
    form.style.setProperty("--visible", `${viewport.height}px`);
    form.style.setProperty("--visible-top", `${viewport.offsetTop}px`);
  };
  const close = () => {
    if (!("open" in form.dataset)) return;
    form.removeAttribute("data-open");
    getTextField(form).blur();
    // The closed composer shows one line: the first.
    getTextField(form).scrollTop = 0;
  };
  // A rotated tablet may become as narrow as a phone, or stop being so, while something is written.
  const update = () =>
    form.toggleAttribute("data-open", phone.matches && document.activeElement === getTextField(form));
  form.addEventListener("focusin", ({ target }) => {
    if (target === getTextField(form) && phone.matches) form.dataset.open = "";
  }, { signal });
  // The sheet would cover what has the focus now.
  document.addEventListener("focusin", ({ target }) => {
    if (!form.contains(target)) form.removeAttribute("data-open");
  }, { signal });
  form.addEventListener("keydown", ({ key }) => key === "Escape" && close(), { signal });
  form.addEventListener("llamora:entry-saved", close, { signal });
  form.querySelector("[data-close]").addEventListener("click", close, { signal });
  phone.addEventListener("change", update, { signal });
  // On the first page of a diary one can type at once, except where the sheet would cover the welcome.
  if ("cursor" in form.dataset && !phone.matches) getTextField(form).focus({ preventScroll: true });
  if (!viewport) return;
  viewport.addEventListener("resize", measure, { signal });
  viewport.addEventListener("scroll", measure, { signal });
  measure();
}
