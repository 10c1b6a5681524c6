/* The box: results while typing, arrows through them, and an earlier answer never over a later one. */
import { fragment, post, sentence } from "../request.js";

const PAUSE = 120;
const OPENING = 400;
const MEANING = 3000;

function steps(form) {
  return [form.querySelector("#search-text"), ...form.querySelectorAll(".hit a")];
}

function walk(form, key) {
  const all = steps(form);
  const at = all.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: at > 0 ? 1 : -1, End: at > 0 ? all.length - 1 : -1 }[key];
  if (at < 0 || to === undefined || !all[to]) return false;
  all[to].focus();
  all[to].scrollIntoView({ block: "nearest" });
  return true;
}

function show(form, made) {
  form.querySelector("#search-results").replaceWith(made.querySelector("#search-results") ?? made);
}

function complain(form, words) {
  const note = document.createElement("p");
  note.className = "note amiss";
  note.setAttribute("role", "alert");
  note.textContent = words;
  form.querySelector("#search-results").replaceChildren(note);
}

export default function attach(form, signal) {
  const field = form.querySelector("#search-text");
  let timer, asked = new AbortController();
  const listen = (name, act) => form.addEventListener(name, act, { signal });

  async function ask(more = {}, { quiet = false, url = form.action } = {}) {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const headers = quiet ? { "X-Llamora-Poll": "1" } : {};
    try {
      const fields = { owner: document.body.dataset.owner, q: field.value, ...more };
      const response = await post(url, fields, { signal: asked.signal, headers });
      const html = await response.text();
      if (!form.isConnected || asked.signal.aborted) return null;
      if (response.ok) return fragment(html);
      if (response.status !== 401 && !quiet) complain(form, sentence(response.status));
    } catch (error) {
      if (error.name !== "AbortError" && !quiet) complain(form, "The server cannot be reached. Try again in a moment.");
    }
    return null;
  }

  async function look(more, options) {
    const made = await ask(more, options);
    if (!made) return false;
    show(form, made);
    settle();
    return true;
  }

  /* How far meaning has come, asked without the query: the results stay as they are read. */
  async function come() {
    const made = await ask({ q: "" }, { quiet: true });
    const [old, now] = [form, made].map((place) => place?.querySelector(".search-meaning"));
    if (!made || !old) return;
    if (now) old.replaceWith(now);
    else old.remove();
    settle();
  }

  /* What comes on its own is asked for until it is there. Nobody did that: it must not count as activity. */
  function settle() {
    watch();
    if (form.querySelector("[data-opening]")) timer = setTimeout(look, OPENING, {}, { quiet: true });
    else if (form.querySelector("[data-coming]")) timer = setTimeout(come, MEANING);
  }

  async function further(button) {
    const made = await ask({ after: button.value });
    const last = button.closest("li");
    if (!made || !last.isConnected) return;
    const focused = last.contains(document.activeElement);
    const list = document.createElement("ol");
    list.append(...made.childNodes);
    const first = list.querySelector("a");
    last.replaceWith(...list.childNodes);
    if (focused) first?.focus();
    settle();
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) further(target.querySelector("[data-after]"));
  }, { rootMargin: "200px" });
  signal.addEventListener("abort", () => { seen.disconnect(); clearTimeout(timer); asked.abort(); });

  function watch() {
    seen.disconnect();
    const more = form.querySelector(".more");
    if (more) seen.observe(more);
  }

  listen("input", () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); });
  listen("submit", async (event) => {
    event.preventDefault();
    const { name, value } = event.submitter ?? {};
    if (name === "after") return further(event.submitter);
    if (name === "do") return look({ do: value, q: "" }, { url: event.submitter.formAction }).then(() => field.focus());
    if (name === "instead") field.value = value.trim();
    // Taking a filter away, or choosing an earlier search, is not submitting one.
    if (name === "instead") return look().then(() => field.focus());
    if (await look({ submitted: "1" })) steps(form)[1]?.focus();
  });
  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (walk(form, event.key)) event.preventDefault();
    else if (event.target !== field && event.target.matches("a") && event.key.length === 1 && event.key !== " ") field.focus();
  });
  // What was typed before this was here.
  if (field.value !== field.defaultValue) look();
  else settle();
}
