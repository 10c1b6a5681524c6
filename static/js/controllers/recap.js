/* Loads the recap of a day below the calendar when the keyboard focus rests on that day. A pointer that passes over it
loads nothing, since the model may have to write the recap first. */
const REST_MS = 600;

export default function attach(container, signal) {
  let timer;
  const load = (link) => {
    const values = { owner: document.body.dataset.owner };
    window.htmx?.ajax("POST", `${link.pathname}recap/`, { source: container, target: container, swap: "innerHTML", values });
  };
  const onFocus = ({ target }) => {
    clearTimeout(timer);
    const link = target.closest?.("a.cell.has-entries");
    if (link?.matches(":focus-visible")) timer = setTimeout(load, REST_MS, link);
  };
  document.addEventListener("focusin", onFocus, { signal });
  document.addEventListener("focusout", () => clearTimeout(timer), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
}
