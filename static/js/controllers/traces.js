/* Traces under an entry. Escape or a click elsewhere closes what is open, Delete dismisses a proposal, arrows go
through the names to choose from, and when an answer to the entry has ended traces are proposed for it. */
const DISMISSES = ["Delete", "Backspace"];
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

function step(form, from, by) {
  const stops = [form.elements.namedItem("name"), ...form.querySelectorAll(".trace-names button")];
  stops[(stops.indexOf(from) + by + stops.length) % stops.length]?.focus();
}

function shut(details) {
  details.open = false;
  details.querySelector("summary").focus();
}

function proposeAfterAnswers(place, signal) {
  const replies = place.closest(".entry")?.querySelector(".replies");
  if (!replies) return;
  const ended = () => [...replies.querySelectorAll('[data-reply][data-state="done"]')].map(({ id }) => id);
  let known = new Set(ended());
  const watch = new MutationObserver(() => {
    const now = ended();
    const isNews = now.some((id) => !known.has(id));
    known = new Set(now);
    const target = place.querySelector(".traces-proposed");
    const values = { owner: document.body.dataset.owner, unasked: 1 };
    if (isNews) window.htmx?.ajax("POST", place.dataset.propose, { source: target, target, swap: "outerHTML", values });
  });
  watch.observe(replies, { childList: true });
  signal.addEventListener("abort", () => watch.disconnect());
}

export default function attach(place, signal) {
  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  listen(document, "click", ({ target }) => {
    for (const details of place.querySelectorAll("details[open]")) if (!details.contains(target)) details.open = false;
  });
  listen(place, "keydown", (event) => {
    const { key, target } = event;
    const details = target.closest("details[open]");
    if (key === "Escape" && details) shut(details);
    else if (DISMISSES.includes(key) && target.matches("[data-proposal] > .trace-chip")) target.nextElementSibling.click();
    else if (STEPS[key] && target.closest(".trace-form")) step(target.form, target, STEPS[key]);
    else return;
    event.preventDefault();
  });
  const add = place.querySelector(".trace-add");
  listen(add, "toggle", () => add.open && add.querySelector(".trace-name").focus());
  proposeAfterAnswers(place, signal);
}
