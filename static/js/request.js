/* Requests to the server, and the messages shown when they fail.

The CSRF token is read when a request is sent, not when the page was made: another tab may have signed in since, and a
save must not fail for that. */
/* For answers that bring no message of their own. */
const ERROR_MESSAGES = {
  0: "The server can't be reached. Your text is still here.",
  401: "Your diary is locked. Your text is still here.",
  403: "This page has expired. Your text is still here: copy it, then reload.",
  404: "This doesn't exist any more. Your text is still here.",
  409: "Someone else has signed in with this browser. Nothing was saved; your text is still here.",
  413: "This is too long for one entry. Save it in two or three parts.",
  422: "This can't be saved as it is. Your text is still here.",
  429: "Too many tries. Wait a moment, then try again.",
  503: "Nothing can be saved now; the disk may be full. Your text is still here.",
};

function csrfToken() {
  return document.cookie.match(/(?:^|;\s*)llamora_csrf=([^;]+)/)?.[1] ?? "";
}

/* A document apart from the page, so nothing in it runs. */
export function parseHtml(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

export function parseFragment(html) {
  const fragment = document.createDocumentFragment();
  fragment.append(...parseHtml(html).body.childNodes);
  return fragment;
}

export function getErrorMessage(status, answer) {
  const message = answer?.error ?? answer?.querySelector?.("[data-error]:not([hidden])")?.textContent.trim();
  if (message) return message;
  return ERROR_MESSAGES[status] ?? "Something went wrong on the server. Your text is still here; try again in a moment.";
}

/* The body of a response: an object for JSON, otherwise a document. */
export async function readBody(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  const body = await response.text();
  if (!kind.includes("json")) return parseHtml(body);
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

/* Tells the page that the vault is locked, by the same events that htmx dispatches for the same header. */
function dispatchIfLocked(response) {
  const trigger = response.headers.get("HX-Trigger") ?? "";
  const signedOut = trigger.includes("llamora:signed-out");
  if (response.status === 401 || trigger.includes("llamora:locked")) {
    document.dispatchEvent(new CustomEvent(signedOut ? "llamora:signed-out" : "llamora:locked"));
  }
}

export async function post(url, fields, { ignoreLock = false, ...options } = {}) {
  const body = fields instanceof FormData ? fields : new FormData();
  if (body !== fields) for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set("csrfmiddlewaretoken", csrfToken());
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true", ...options.headers };
  const response = await fetch(url, { method: "POST", credentials: "same-origin", ...options, headers, body });
  if (!ignoreLock) dispatchIfLocked(response);
  return response;
}

export function createErrorMessage(message, className = "notice error") {
  const paragraph = document.createElement("p");
  paragraph.className = className;
  paragraph.setAttribute("role", "alert");
  paragraph.textContent = message;
  return paragraph;
}

/* Shows a message in the entry, reply, form or section that the element belongs to; an empty one hides it. */
export function showError(element, message) {
  const container = element.closest("[data-preserve], [data-reply], [data-entry], section, main") ?? document.body;
  const shown = container.querySelector(container.matches("form") ? "[data-error]" : ":scope > [data-error]");
  const paragraph = shown ?? createErrorMessage(message);
  paragraph.className = "notice error";
  paragraph.dataset.error = "";
  paragraph.setAttribute("role", "alert");
  paragraph.hidden = !message;
  paragraph.textContent = message;
  if (!shown) container.append(paragraph);
}

/* A 409 or 422 is swapped in only when it is the fragment that was asked for: an error page must not replace a text. */
function checkSwap({ detail }) {
  const { status } = detail.xhr;
  if (status !== 409 && status !== 422) return;
  if (detail.target.id && detail.serverResponse.includes(`id="${detail.target.id}"`)) return;
  detail.shouldSwap = false;
  showError(detail.requestConfig.elt, getErrorMessage(status, parseHtml(detail.serverResponse)));
}

export function initRequests() {
  // htmx stores the current path in the browser; the diary leaves nothing there.
  document.addEventListener("DOMContentLoaded", () => sessionStorage.removeItem("htmx-current-path-for-history"));
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = csrfToken();
    if (detail.verb !== "get") detail.parameters.csrfmiddlewaretoken = csrfToken();
  });
  document.addEventListener("htmx:beforeSwap", checkSwap);
  document.addEventListener("htmx:sendError", ({ detail }) => showError(detail.elt, getErrorMessage(0)));
  document.addEventListener("htmx:responseError", ({ detail: { elt, xhr } }) => {
    if (xhr.status !== 401) showError(elt, getErrorMessage(xhr.status, parseHtml(xhr.response)));
  });
  document.addEventListener(
    "submit",
    ({ target }) => {
      const field = target.elements?.namedItem("csrfmiddlewaretoken");
      if (field && csrfToken()) field.value = csrfToken();
    },
    true,
  );
}
