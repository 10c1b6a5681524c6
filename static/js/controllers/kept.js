/* Sends the groups that were typed back without leaving the page: an answer that does not come must not cost the code. */
import { parse, post, sentence } from "../request.js";

const AWAY = "The server cannot be reached. The code stays here: try again in a moment.";
const SIGNED_OUT = "You were signed out of this browser meanwhile. Keep the code, then sign in.";

/* The form again, with what is wrong beside it; nothing where the refusal is of another kind. */
function shownAgain(form, answer) {
  const next = answer.getElementById("kept");
  if (next) form.replaceWith(next);
  next?.querySelector("[autofocus]")?.focus();
  return Boolean(next);
}

function refuse(form, words, isFinal) {
  const place = form.querySelector("[data-refused]");
  place.className = "wrong";
  place.textContent = words;
  place.hidden = false;
  form.querySelector("[data-way-out]").hidden = !isFinal;
}

async function send(form) {
  const response = await post(form.action, new FormData(form), { quietly: true });
  const onward = response.headers.get("HX-Redirect");
  if (onward) return location.assign(onward);
  const answer = parse(await response.text());
  if (shownAgain(form, answer)) return;
  refuse(form, response.status === 401 ? SIGNED_OUT : sentence(response.status, answer), response.status < 500);
}

export default function attach(form, signal) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send(form).catch(() => refuse(form, AWAY, false));
    button.disabled = false;
  }, { signal });
}
