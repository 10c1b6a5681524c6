/* Requests and what their refusals say. The CSRF token is read when a request leaves, never when the page was made:
another tab may have signed in since, and a save must not fail for that. */
const SENTENCES = {
  0: "The server cannot be reached. Your words stay here.",
  401: "The diary is locked. Your words stay here.",
  403: "This page was open too long to be trusted. Your words stay here: copy them, then reload the page.",
  404: "This is not there any more. Your words stay here.",
  409: "Somebody else has come in with this browser since this page was opened. Nothing was saved; your words stay here.",
  413: "This is longer than can be kept in one piece. Keep it in two or three parts.",
  422: "This could not be kept as it is. Your words stay here.",
  429: "That was very often in a short time. Wait a moment, then try again.",
  503: "Nothing can be written just now; perhaps the disk is full. Your words stay here.",
};

export function token() {
  return document.cookie.match(/(?:^|;\s*)llamora_csrf=([^;]+)/)?.[1] ?? "";
}

/* Parsed apart from the page, so nothing in it runs. */
export function parse(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

export function fragment(html) {
  const made = document.createDocumentFragment();
  made.append(...parse(html).body.childNodes);
  return made;
}

export function sentence(status, answer) {
  const said = answer?.error ?? answer?.querySelector?.("[data-error]:not([hidden])")?.textContent.trim();
  if (said) return said;
  return SENTENCES[status] ?? "Something went wrong on the server. Your words stay here; try again in a moment.";
}

export async function read(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  const body = await response.text();
  if (!kind.includes("json")) return parse(body);
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

/* A refusal because the vault closed is told to the whole page, as htmx tells it from the same header. */
function announce(response) {
  const trigger = response.headers.get("HX-Trigger") ?? "";
  const signedOut = trigger.includes("llamora:signed-out");
  if (response.status === 401 || trigger.includes("llamora:locked")) {
    document.dispatchEvent(new CustomEvent(signedOut ? "llamora:signed-out" : "llamora:locked"));
  }
}

export async function post(url, fields, { quietly = false, ...options } = {}) {
  const body = fields instanceof FormData ? fields : new FormData();
  if (body !== fields) for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set("csrfmiddlewaretoken", token());
  const headers = { "X-CSRFToken": token(), "HX-Request": "true", ...options.headers };
  const response = await fetch(url, { method: "POST", credentials: "same-origin", ...options, headers, body });
  if (!quietly) announce(response);
  return response;
}

/* Beside what it concerns: at the end of the entry, reply or form that asked. */
function complain(element, words) {
  const place = element.closest("[data-keeps], [data-reply], [data-entry], section, main") ?? document.body;
  const own = place.querySelector(":scope > [data-error]") ?? document.createElement("p");
  own.className = "note amiss";
  own.dataset.error = "";
  own.setAttribute("role", "alert");
  own.hidden = false;
  own.textContent = words;
  if (!own.isConnected) place.append(own);
}

/* A 409 or 422 is swapped in only when it is the fragment asked for: a refusal page must not wipe out a text. */
function beforeSwap({ detail }) {
  const { status } = detail.xhr;
  if (status !== 409 && status !== 422) return;
  if (detail.target.id && detail.serverResponse.includes(`id="${detail.target.id}"`)) return;
  detail.shouldSwap = false;
  complain(detail.requestConfig.elt, sentence(status, parse(detail.serverResponse)));
}

export function guard() {
  // htmx notes the address it is at; this page leaves nothing in the browser's storage, not even that.
  document.addEventListener("DOMContentLoaded", () => sessionStorage.removeItem("htmx-current-path-for-history"));
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    detail.headers["X-CSRFToken"] = token();
    if (detail.verb !== "get") detail.parameters.csrfmiddlewaretoken = token();
  });
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:sendError", ({ detail }) => complain(detail.elt, sentence(0)));
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.xhr.status !== 401) complain(detail.elt, sentence(detail.xhr.status, parse(detail.xhr.response)));
  });
  document.addEventListener(
    "submit",
    ({ target }) => {
      const field = target.elements?.namedItem("csrfmiddlewaretoken");
      if (field && token()) field.value = token();
    },
    true,
  );
}
