/* The search box: shows results while typing, moves through them with arrow keys, and drops the answer of a request
that was followed by another. */
import { createErrorMessage, getErrorMessage, parseFragment, post } from "../request.js";

const AFTER_TYPING_MS = 120;
/* How often to ask while the index is being opened, and while embeddings are being made. */
const INDEX_POLL_MS = 400;
const MEANING_POLL_MS = 3000;

function getStops(form) {
  const hits = [...form.querySelectorAll(".hit :is(a, summary)")];
  return [form.querySelector("#search-text"), ...hits.filter((one) => one.checkVisibility())];
}

function moveFocus(form, key) {
  const stops = getStops(form);
  const index = stops.indexOf(document.activeElement);
  const isHit = index > 0;
  const [first, last] = isHit ? [1, stops.length - 1] : [-1, -1];
  const target = { ArrowDown: index + 1, ArrowUp: index - 1, Home: first, End: last }[key];
  if (index < 0 || target === undefined || !stops[target]) return false;
  stops[target].focus();
  stops[target].scrollIntoView({ block: "nearest" });
  return true;
}

function showResults(form, fragment) {
  form.querySelector("#search-results").replaceWith(fragment.querySelector("#search-results") ?? fragment);
}

function showSearchError(form, message) {
  form.querySelector("#search-results").replaceChildren(createErrorMessage(message));
}

export default function attach(form, signal) {
  const field = form.querySelector("#search-text");
  let timer, request = new AbortController();
  const listen = (name, act) => form.addEventListener(name, act, { signal });

  /* A background request shows no errors, and does not count as activity of the person. */
  async function ask(extra = {}, { inBackground = false, url = form.action } = {}) {
    clearTimeout(timer);
    request.abort();
    request = new AbortController();
    const headers = inBackground ? { "X-Llamora-Poll": "1" } : {};
    try {
      const fields = { owner: document.body.dataset.owner, q: field.value, ...extra };
      const response = await post(url, fields, { signal: request.signal, headers });
      const html = await response.text();
      if (!form.isConnected || request.signal.aborted) return null;
      if (response.ok) return parseFragment(html);
      if (response.status !== 401 && !inBackground) showSearchError(form, getErrorMessage(response.status));
    } catch (error) {
      if (error.name !== "AbortError" && !inBackground) {
        showSearchError(form, "The server can't be reached. Try again in a moment.");
      }
    }
    return null;
  }

  async function search(extra, options) {
    const fragment = await ask(extra, options);
    if (!fragment) return false;
    showResults(form, fragment);
    continueAfterResults();
    return true;
  }

  /* Updates only the sentence about embeddings, without sending the query: the results stay as they are. */
  async function updateMeaning() {
    const fragment = await ask({ q: "" }, { inBackground: true });
    const [old, current] = [form, fragment].map((container) => container?.querySelector(".search-meaning"));
    if (!fragment || !old) return;
    if (current) old.replaceWith(current);
    else old.remove();
    continueAfterResults();
  }

  function continueAfterResults() {
    observeMore();
    if (form.querySelector("[data-index-opening]")) {
      timer = setTimeout(search, INDEX_POLL_MS, {}, { inBackground: true });
    } else if (form.querySelector("[data-meaning-pending]")) timer = setTimeout(updateMeaning, MEANING_POLL_MS);
  }

  async function loadMore(button) {
    const fragment = await ask({ after: button.value });
    const last = button.closest("li");
    if (!fragment || !last.isConnected) return;
    const hadFocus = last.contains(document.activeElement);
    const list = document.createElement("ol");
    list.append(...fragment.childNodes);
    const first = list.querySelector("a");
    last.replaceWith(...list.childNodes);
    if (hadFocus) first?.focus();
    continueAfterResults();
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) loadMore(target.querySelector("[data-next-page]"));
    }
  }, { rootMargin: "200px" });
  signal.addEventListener("abort", () => { observer.disconnect(); clearTimeout(timer); request.abort(); });

  function observeMore() {
    observer.disconnect();
    const more = form.querySelector(".more");
    if (more) observer.observe(more);
  }

  listen("input", () => { clearTimeout(timer); timer = setTimeout(search, AFTER_TYPING_MS); });
  listen("submit", async (event) => {
    event.preventDefault();
    const { name, value } = event.submitter ?? {};
    if (name === "after") return loadMore(event.submitter);
    if (name === "do") {
      return search({ do: value, q: "" }, { url: event.submitter.formAction }).then(() => field.focus());
    }
    if (name === "instead") field.value = value.trim();
    // Removing a filter or choosing an earlier search does not add to the recent searches.
    if (name === "instead") return search().then(() => field.focus());
    if (await search({ submitted: "1" })) getStops(form)[1]?.focus();
  });
  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const isCharacter = event.key.length === 1 && event.key !== " ";
    if (moveFocus(form, event.key)) event.preventDefault();
    else if (event.target !== field && event.target.matches("a, summary") && isCharacter) field.focus();
  });
  // Something may have been typed before this was loaded.
  if (field.value !== field.defaultValue) search();
  else continueAfterResults();
}
