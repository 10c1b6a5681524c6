/* The dialog over a locked page, with the form of the unlock page, or of the sign-in page when the session ended. */
import { focusRestoredForm, restorePage } from "./lock_page.js";
import { createErrorMessage, getErrorMessage, parseHtml, post } from "./request.js";

const UNLOCK_FORM = "form[data-unlock-form]";
const RETRY_MS = 4000;
const getDialog = () => document.getElementById("unlock");
let locked = false;

export const isLocked = () => locked;

function setContent(content) {
  const isSignIn = Boolean(content.querySelector("[name=name]"));
  getDialog().querySelector("h2").textContent = isSignIn ? "Signed out" : "Locked";
  getDialog().querySelector("[data-other-person]").hidden = isSignIn;
  getDialog().querySelector("[data-unlock-content]").replaceChildren(content);
  getDialog().querySelector("input[type=password]")?.focus();
}

async function loadForm(url) {
  try {
    const headers = { "HX-Request": "true" };
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers });
    const form = parseHtml(await response.text()).querySelector(UNLOCK_FORM);
    if (form) return setContent(form);
    if (response.status === 401) return loadForm(getDialog().dataset.signInUrl);
    if (await restorePage()) return closeUnlockDialog();
  } catch {
    // The server is away. The message below says so; the page stays hidden.
  }
  setContent(createErrorMessage("The server can't be reached. Trying again.", "field-error"));
  return setTimeout(() => locked && loadForm(url), RETRY_MS);
}

/* `after`: a promise to wait for before the form is loaded, so that the server does not answer that all is unlocked. */
export async function openUnlockDialog({ signedOut = false, after } = {}) {
  locked = true;
  getDialog().showModal();
  await after;
  loadForm(signedOut ? getDialog().dataset.signInUrl : getDialog().dataset.unlockUrl);
}

function closeUnlockDialog() {
  locked = false;
  getDialog().querySelector("[data-unlock-content]").replaceChildren();
  getDialog().close();
  focusRestoredForm();
  document.dispatchEvent(new CustomEvent("llamora:unlocked"));
}

async function submitForm(event) {
  const form = event.target.closest(UNLOCK_FORM);
  if (!form) return;
  event.preventDefault();
  try {
    const response = await post(form.action, new FormData(form), { ignoreLock: true });
    const page = parseHtml(await response.text());
    const nextForm = page.querySelector(UNLOCK_FORM);
    if (nextForm) setContent(nextForm);
    else if (!response.ok && response.status !== 401) showFormError(form, getErrorMessage(response.status, page));
    else if (await restorePage()) closeUnlockDialog();
    else loadForm(getDialog().dataset.unlockUrl);
  } catch {
    showFormError(form, "The server can't be reached. Try again in a moment.");
  }
}

function showFormError(form, message) {
  form.querySelector(".field-error[role=alert]")?.remove();
  form.prepend(createErrorMessage(message, "field-error"));
}

/* For another person: the unsaved forms of the first one stay held. */
async function signOut() {
  await post(getDialog().dataset.signOutUrl, {}, { ignoreLock: true }).catch(() => {});
  loadForm(getDialog().dataset.signInUrl);
}

/* The same person may have unlocked in another tab meanwhile. */
async function checkUnlocked() {
  if (document.visibilityState !== "visible" || !locked) return;
  if ((await restorePage({ sameOnly: true }).catch(() => false)) && locked) closeUnlockDialog();
}

export function initUnlockDialog(listen) {
  listen(document, "visibilitychange", checkUnlocked);
  listen(getDialog(), "submit", submitForm);
  listen(getDialog().querySelector("[data-other-person]"), "click", signOut);
  listen(getDialog(), "cancel", (event) => event.preventDefault());
  // Some browsers close a dialog on a second Escape all the same.
  listen(getDialog(), "close", () => locked && getDialog().showModal());
}
