/* Keeps the keyboard focus in place when htmx swaps away or disables the control that had it. */
const CONTROLS = "a[href], button, textarea, input:not([type=hidden])";
const focusBefore = new WeakMap();

/* Focuses the control with this label, else what is marked data-focus-return (also the container), else the first. */
export function focusInside(container, label = "") {
  const all = container ? [...container.querySelectorAll(CONTROLS)] : [];
  const controls = all.filter((control) => control.checkVisibility());
  const same = label && controls.find((control) => control.textContent.trim() === label);
  const isMarked = container?.matches("[data-focus-return]");
  const marked = isMarked ? container : container?.querySelector("[data-focus-return]");
  const control = same || marked || controls[0];
  control?.focus({ preventScroll: true });
  return Boolean(control);
}

function rememberFocus({ detail }) {
  const control = document.activeElement;
  const ancestorIds = [];
  for (let node = control; node && node !== document.body; node = node.parentElement) {
    if (node.id) ancestorIds.push(node.id);
  }
  focusBefore.set(detail.xhr, { control, ancestorIds, label: control.textContent.trim() });
}

/* What has just been swapped in and is to be read or answered first. */
function focusArrival({ id }) {
  const arrival = id ? document.getElementById(id)?.querySelector("[data-focus-arrival]") : null;
  arrival?.removeAttribute("data-focus-arrival");
  arrival?.focus({ preventScroll: true });
  return Boolean(arrival);
}

/* Back to the same control, or to one in the nearest ancestor that is still on the page. */
function restoreFocus({ detail }) {
  const before = focusBefore.get(detail.xhr);
  if (!before || focusArrival(detail.target)) return;
  if (before.control === document.body || document.activeElement !== document.body) return;
  if (before.control.isConnected) before.control.focus({ preventScroll: true });
  else before.ancestorIds.some((id) => focusInside(document.getElementById(id), before.label));
}

export function initFocus() {
  document.addEventListener("htmx:beforeRequest", rememberFocus);
  document.addEventListener("htmx:afterRequest", restoreFocus);
}
