/* The vault as the page knows it: when it locks, the words go and a dialog asks; what was being written waits. */
import { isLocked, shutPage, tend } from "../dialog.js";
import { holdsUnsaved, takeAway } from "../page.js";
import { post } from "../request.js";
import { isSingleKey } from "../singlekeys.js";
import { isDirty } from "../writing.js";
import { save } from "../saving.js";

const drafted = () => [...document.querySelectorAll("form[data-draft-url]")];

/* What is not yet saved is sent first: a signed-in but locked page may still hand in a draft. */
function lock(how) {
  if (isLocked()) return;
  for (const form of drafted()) if (isDirty(form)) save(form);
  takeAway();
  shutPage(how);
}

async function leave(event) {
  const form = event.target.closest("form[data-lock], form[data-leave]");
  if (!form) return;
  event.preventDefault();
  const saved = Promise.all(drafted().map((form) => save(form)));
  await Promise.race([saved, new Promise((done) => setTimeout(done, 2000))]);
  const unsaved = [...document.querySelectorAll("form[data-keeps]")].some(isDirty);
  if (!unsaved || form.matches("[data-leave]")) return form.submit();
  return lock({ after: post(form.action, new FormData(form), { quietly: true }).catch(() => {}) });
}

function pressed(event) {
  if (event.key.toLowerCase() !== "l" || !isSingleKey(event) || isLocked()) return;
  document.querySelector("form[data-lock]")?.requestSubmit();
}

export default function attach(body, signal) {
  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  tend(listen);
  listen(document, "llamora:locked", () => lock());
  listen(document, "llamora:signed-out", () => lock({ signedOut: true }));
  listen(document, "submit", leave);
  listen(document, "keydown", pressed);
  listen(window, "beforeunload", (event) => holdsUnsaved() && event.preventDefault());
  // A page that a browser keeps in memory to go back to must not be readable after a lock.
  listen(window, "pagehide", (event) => document.documentElement.classList.toggle("away", event.persisted));
  listen(window, "pageshow", (event) => event.persisted && location.reload());
}
