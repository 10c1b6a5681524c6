/* Keeps the keyboard's place when what it was on is swapped away or switched off while a request is under way. */
const CONTROLS = "a[href], button, textarea, input:not([type=hidden])";
const asked = new WeakMap();

/* To the control that says the same, or to what its place names for this (itself, even), or to the first. */
export function focusIn(place, label = "") {
  const controls = place ? [...place.querySelectorAll(CONTROLS)].filter((control) => control.checkVisibility()) : [];
  const same = label && controls.find((control) => control.textContent.trim() === label);
  const named = place?.matches("[data-returns]") ? place : place?.querySelector("[data-returns]");
  const control = same || named || controls[0];
  control?.focus({ preventScroll: true });
  return Boolean(control);
}

function note({ detail }) {
  const control = document.activeElement;
  const around = [];
  for (let at = control; at && at !== document.body; at = at.parentElement) if (at.id) around.push(at.id);
  asked.set(detail.xhr, { control, around, label: control.textContent.trim() });
}

/* What has just come and is to be read or decided first. */
function arrived({ id }) {
  const there = id ? document.getElementById(id)?.querySelector("[data-arrived]") : null;
  there?.removeAttribute("data-arrived");
  there?.focus({ preventScroll: true });
  return Boolean(there);
}

/* Back to the same control, or to one in the nearest place that is still there. */
function goBack({ detail }) {
  const before = asked.get(detail.xhr);
  if (!before || arrived(detail.target)) return;
  if (before.control === document.body || document.activeElement !== document.body) return;
  if (before.control.isConnected) before.control.focus({ preventScroll: true });
  else before.around.some((id) => focusIn(document.getElementById(id), before.label));
}

export function keepFocus() {
  document.addEventListener("htmx:beforeRequest", note);
  document.addEventListener("htmx:afterRequest", goBack);
}
