/* Buttons that belong to a form elsewhere on the page (`form` and `formaction`) are sent without leaving the page.

A long day has hundreds of them: one listener here, and one form for all, instead of a form and htmx attributes for
each. Where the answer goes is said by hx-target and hx-swap of the button or of what it stands in. */
export function initFormButtons() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[form][formaction]");
    if (!button?.form || !window.htmx || button.disabled) return;
    event.preventDefault();
    const answered = window.htmx.ajax(button.form.method, button.getAttribute("formaction"), { source: button, event });
    // request.js says what failed.
    answered.catch(() => {});
  });
}
