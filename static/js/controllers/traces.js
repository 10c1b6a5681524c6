/* The traces under an entry. Escape or a click elsewhere closes an open panel, Delete dismisses a suggestion, arrows
move through the names to choose from; and when a reply to the entry has ended, traces are suggested. */
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
  suggestAfterReplies(container, signal);
}
