/* The dialog over a locked page: the form of the unlock page, or of the sign-in page when the visit has ended. */
import { bringBack, resume } from "./page.js";
import { parse, post, sentence } from "./request.js";

const ASKING = "form[data-unlock-form]";
const dialog = () => document.getElementById("unlock");
let shut = false;

export const isLocked = () => shut;

function put(content) {
  const isSignIn = Boolean(content.querySelector("[name=name]"));
  dialog().querySelector("h2").textContent = isSignIn ? "Signed out" : "Locked";
  dialog().querySelector("[data-other]").hidden = isSignIn;
  dialog().querySelector("[data-slot]").replaceChildren(content);
  dialog().querySelector("input[type=password]")?.focus();
}

function words(said) {
  const made = document.createElement("p");
  made.className = "wrong";
  made.setAttribute("role", "alert");
  made.textContent = said;
  return made;
}

async function ask(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers: { "HX-Request": "true" } });
    const form = parse(await response.text()).querySelector(ASKING);
    if (form) return put(form);
    if (response.status === 401) return ask(dialog().dataset.signInUrl);
    if (await bringBack()) return opened();
  } catch {
    // Said below: the server is away, and the words are gone from the page all the same.
  }
  put(words("The server cannot be reached. Trying again."));
  return setTimeout(() => shut && ask(url), 4000);
}

/* `after`: what must be through before anything is asked, so that the answer is not that all is open. */
export async function shutPage({ signedOut = false, after } = {}) {
  shut = true;
  dialog().showModal();
  await after;
  ask(signedOut ? dialog().dataset.signInUrl : dialog().dataset.unlockUrl);
}

function opened() {
  shut = false;
  dialog().querySelector("[data-slot]").replaceChildren();
  dialog().close();
  resume();
  document.dispatchEvent(new CustomEvent("llamora:opened"));
}

async function answer(event) {
  const form = event.target.closest(ASKING);
  if (!form) return;
  event.preventDefault();
  try {
    const response = await post(form.action, new FormData(form), { quietly: true });
    const page = parse(await response.text());
    const fresh = page.querySelector(ASKING);
    if (fresh) put(fresh);
    else if (!response.ok && response.status !== 401) refuse(form, sentence(response.status, page));
    else if (await bringBack()) opened();
    else ask(dialog().dataset.unlockUrl);
  } catch {
    refuse(form, "The server cannot be reached. Try again in a moment.");
  }
}

function refuse(form, said) {
  form.querySelector(".wrong[role=alert]")?.remove();
  form.prepend(words(said));
}

/* Somebody else at the keyboard: the words held for the first person stay held. */
async function change() {
  await post(dialog().dataset.signOutUrl, {}, { quietly: true }).catch(() => {});
  ask(dialog().dataset.signInUrl);
}

/* The same person may have unlocked in another tab meanwhile. */
async function lookAgain() {
  if (document.visibilityState !== "visible" || !shut) return;
  if ((await bringBack({ sameOnly: true }).catch(() => false)) && shut) opened();
}

export function tend(listen) {
  listen(document, "visibilitychange", lookAgain);
  listen(dialog(), "submit", answer);
  listen(dialog().querySelector("[data-other]"), "click", change);
  listen(dialog(), "cancel", (event) => event.preventDefault());
  // Some browsers let a second Escape through all the same.
  listen(dialog(), "close", () => shut && dialog().showModal());
}
