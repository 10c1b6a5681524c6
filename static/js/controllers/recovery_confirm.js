/* Sends the groups of the recovery code that were typed back, without leaving the page: if no answer comes, the
code must still be there. */
import { getErrorMessage, parseHtml, post } from "../request.js";

const UNREACHABLE = "The server can't be reached. The code is still here: try again in a moment.";
const SIGNED_OUT = "You have been signed out of this browser. Write the code down, then sign in.";

/* Shows the form of the answer, with its errors. Returns whether the answer has one. */
function replaceForm(form, answer) {
  const nextForm = answer.getElementById("recovery-confirm");
  if (nextForm) form.replaceWith(nextForm);
  nextForm?.querySelector("[autofocus]")?.focus();
  return Boolean(nextForm);
}

/* A final failure cannot be retried, so a link to leave the page is shown with it. */
function showFailure(form, message, isFinal) {
  const paragraph = form.querySelector("[data-failure]");
  paragraph.className = "field-error";
  paragraph.textContent = message;
  paragraph.hidden = false;
  form.querySelector("[data-leave-link]").hidden = !isFinal;
}

async function send(form) {
  const response = await post(form.action, new FormData(form), { ignoreLock: true });
  const nextUrl = response.headers.get("HX-Redirect");
  if (nextUrl) return location.assign(nextUrl);
  const answer = parseHtml(await response.text());
  if (replaceForm(form, answer)) return;
  const message = response.status === 401 ? SIGNED_OUT : getErrorMessage(response.status, answer);
  showFailure(form, message, response.status < 500);
}

export default function attach(form, signal) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send(form).catch(() => showFailure(form, UNREACHABLE, false));
    button.disabled = false;
  }, { signal });
}
