/* The traces under an entry. Escape or a click elsewhere closes an open panel, Delete dismisses a suggestion, arrows
move through the names to choose from; and when a reply to the entry has ended, traces are suggested. The field for a
new trace is there before its form has arrived. */
const ADD_BUTTON = 'button[form="entry-read-form"]';
const DISMISS_KEYS = ["Delete", "Backspace"];
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

function moveFocus(form, from, step) {
  const stops = [form.elements.namedItem("name"), ...form.querySelectorAll(".trace-names button")];
  stops[(stops.indexOf(from) + step + stops.length) % stops.length]?.focus();
}

function close(details) {
  details.open = false;
  details.querySelector("summary").focus();
}

function suggestAfterReplies(container, signal) {
  const replies = container.closest(".entry")?.querySelector(".replies");
  if (!replies) return;
  const getEnded = () => [...replies.querySelectorAll('[data-reply][data-state="done"]')].map(({ id }) => id);
  let known = new Set(getEnded());
  const observer = new MutationObserver(() => {
    const ended = getEnded();
    const isNew = ended.some((id) => !known.has(id));
    known = new Set(ended);
    const target = container.querySelector(".traces-proposed");
    const values = { owner: document.body.dataset.owner, unasked: 1 };
    const options = { source: target, target, swap: "outerHTML", values };
    if (isNew && container.dataset.proposeUrl) window.htmx?.ajax("POST", container.dataset.proposeUrl, options);
  });
  observer.observe(replies, { childList: true });
  signal.addEventListener("abort", () => observer.disconnect());
}

function createField() {
  const field = document.createElement("input");
  Object.assign(field, { className: "trace-name", maxLength: 64, dir: "auto", autocomplete: "off", spellcheck: false });
  field.setAttribute("aria-label", "Name of the trace");
  return field;
}

/* Gives the form that has arrived what was typed before, and the key that was to end it. */
function handOver(field, form, endKey) {
  const { value, selectionStart, selectionEnd } = field;
  const arrived = form.elements.namedItem("name");
  field.remove();
  arrived.value = value;
  arrived.focus();
  arrived.setSelectionRange(selectionStart, selectionEnd);
  if (value) arrived.dispatchEvent(new Event("input", { bubbles: true }));
  if (endKey === "Enter") form.requestSubmit();
  if (endKey === "Escape") close(form.closest("details"));
}

/* What is typed between the click and the form is not lost; where the form does not come, the field stays. */
function initField(container, signal) {
  const field = createField();
  let endKey = "";
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    endKey = event.key;
  });
  container.addEventListener("htmx:beforeRequest", ({ target }) => {
    if (!target.matches(ADD_BUTTON)) return;
    endKey = "";
    target.hidden = true;
    target.after(field);
    field.focus();
  }, { signal });
  container.addEventListener("htmx:afterRequest", () => {
    if (!field.isConnected) return;
    const button = container.querySelector(ADD_BUTTON);
    if (button) button.hidden = false;
    else handOver(field, container.querySelector(".trace-form"), endKey);
  }, { signal });
}

export default function attach(container, signal) {
  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  listen(document, "click", ({ target }) => {
    for (const details of container.querySelectorAll("details[open]")) {
      if (!details.contains(target)) details.open = false;
    }
  });
  listen(container, "keydown", (event) => {
    const { key, target } = event;
    const details = target.closest("details[open]");
    const isSuggestion = target.matches("[data-proposal] > .trace-chip");
    if (key === "Escape" && details) close(details);
    else if (DISMISS_KEYS.includes(key) && isSuggestion) target.nextElementSibling.click();
    else if (STEPS[key] && target.closest(".trace-form")) moveFocus(target.form, target, STEPS[key]);
    else return;
    event.preventDefault();
  });
  // `toggle` does not bubble, so it is captured.
  container.addEventListener("toggle", ({ target }) => target.open && target.querySelector(".trace-name")?.focus(), {
    capture: true, signal,
  });
  initField(container, signal);
  suggestAfterReplies(container, signal);
}
