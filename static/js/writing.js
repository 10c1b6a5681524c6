/* What the parts of a composer know of one form together. It is held by the form itself, so it outlives a lock
that takes the form out of the page and an unlock that puts it back. */
const states = new WeakMap();

export function writing(form) {
  if (!states.has(form)) {
    const saves = { saving: null, since: null, going: null, sent: [], unheard: "", failed: false, conflict: false };
    states.set(form, { keeping: false, unsure: null, letGo: "", ...saves });
  }
  return states.get(form);
}

const typed = (form) => [...form.querySelectorAll("textarea, input:not([type=hidden])")];

/* Where the words of a form are: the text of an entry, or the first box there is. */
export const field = (form) => form.elements.namedItem("text") ?? typed(form)[0];

/* A form that changes an entry knows two: that of its draft, and that of the entry the change is based on. */
export const draftRevision = (form) => form.elements.namedItem("draft_revision") ?? form.elements.namedItem("revision");

/* `defaultValue` is the text the server last confirmed. */
export const isDirty = (form) =>
  form.hasAttribute("data-dirty") || typed(form).some((box) => box.value !== box.defaultValue);

/* Whether words are in a form and nowhere else: unsaved, or let go of and still to be had. */
export const holdsWords = (form) => isDirty(form) || Boolean(writing(form).letGo);

/* Where Enter keeps, a new line takes Ctrl or Shift; a phone has neither beside its Enter, which stays a new line. */
function insertLine(event) {
  event.preventDefault();
  document.execCommand("insertText", false, "\n");
}

/* Whether a key keeps what is in the box, as its person has chosen: Ctrl and Enter, or Enter alone. */
export function meansKeep(event) {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return false;
  const held = event.ctrlKey || event.metaKey;
  if (!("enterKeeps" in document.body.dataset) || matchMedia("(pointer: coarse)").matches) return held;
  if (held) insertLine(event);
  return !held;
}

export function confirmed(form, text) {
  field(form).defaultValue = text;
}

export function say(form, words, { amiss = false, spoken = amiss } = {}) {
  const state = form.querySelector("[data-state]");
  if (!state) return;
  state.textContent = words;
  state.classList.toggle("amiss", amiss);
  // Routine saves are shown and not spoken; a failure is both, unless it is told at length elsewhere.
  if (spoken) state.setAttribute("role", "alert");
  else state.removeAttribute("role");
}

export function complain(form, words) {
  const place = form.querySelector("[data-error]");
  place.textContent = words;
  place.hidden = !words;
}

/* Sets a text without losing the place of the caret when the text only grew or shrank at its end. */
export function setText(form, text) {
  const box = field(form);
  const { selectionStart, selectionEnd } = box;
  box.value = text;
  if (document.activeElement === box) box.setSelectionRange(selectionStart, selectionEnd);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
