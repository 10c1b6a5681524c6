/* Hides the page when the diary is locked, and restores it around the forms with unsaved text after the unlock.

These forms are held here, in memory and outside of the document, by the id of their owner: another person who unlocks
in this tab neither sees nor sends them. */
import { getTextField, hasUnsavedText, isDirty } from "./editor_state.js";
import { parseHtml } from "./request.js";

const held = new Map();
let restoredForm = null;

const getOwner = () => document.body.dataset.owner;
const hasFormsOfOthers = () => [...held].some(([id, { forms }]) => id !== getOwner() && forms.length);
export const hasUnsavedForms = () => [...held.values()].some(({ forms }) => forms.some(isDirty));

export function hidePage() {
  const forms = [...document.querySelectorAll("form[data-preserve]")].filter(hasUnsavedText);
  const editIds = [...document.querySelectorAll("form.edit")].map((form) => form.id);
  const { day } = document.body.dataset;
  const url = new URL(day ? `/d/${day}/` : location.pathname, location.href).href;
  if (forms.length || editIds.length) held.set(getOwner(), { url, forms, editIds });
  for (const form of forms) form.remove();
  document.getElementById("shell").replaceChildren();
  document.getElementById("live-region").textContent = "";
  document.title = "Locked · Llamora";
}

async function fetchPage(url) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  const page = parseHtml(await response.text());
  return { page, url: response.url, isComplete: response.ok && Boolean(page.getElementById("shell")) };
}

function replacePage({ page, url }) {
  for (const { name } of [...document.body.attributes]) {
    if (name.startsWith("data-") && name !== "data-controller") document.body.removeAttribute(name);
  }
  for (const { name, value } of page.body.attributes) {
    if (name !== "data-controller") document.body.setAttribute(name, value);
  }
  document.documentElement.dataset.theme = page.documentElement.dataset.theme;
  document.title = page.title;
  document.getElementById("shell").replaceChildren(...page.getElementById("shell").childNodes);
  if (url !== location.href.split("#")[0]) history.replaceState(null, "", url);
  window.htmx?.process(document.getElementById("shell"));
}

/* A form whose entry was deleted meanwhile goes to the top of the page, so that no text is lost. */
function restoreForms(forms) {
  for (const form of forms) {
    const current = document.getElementById(form.id);
    if (current) current.replaceWith(form);
    else document.getElementById("main").prepend(form);
    const details = form.closest("details") ?? getTextField(form).closest("details");
    if (details) details.open = true;
    window.htmx?.process(form);
    restoredForm = form;
  }
}

/* The form of a change whose draft is saved is not held; it is opened again. */
function reopenEdits(ids) {
  for (const id of ids) document.querySelector(`article#${id} button[formaction$="/edit/"]`)?.click();
}

/* To the text that was being written; its caret is unchanged. */
export function focusRestoredForm() {
  if (restoredForm) getTextField(restoredForm).focus();
  restoredForm = null;
}

function showOthersNotice() {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "status");
  notice.textContent =
    "This tab hides unsaved text of another person. It is shown again when that person unlocks their diary; closing the tab deletes it.";
  document.getElementById("main").prepend(notice);
}

/* Returns whether a page could be shown, whoever's it is unless `sameOnly`. */
export async function restorePage({ sameOnly = false } = {}) {
  const before = getOwner();
  let answer = await fetchPage(location.href);
  // This page may not exist for another person; the page of today does for everybody.
  if (!answer.isComplete) answer = await fetchPage("/");
  const now = answer.page.body.dataset.owner;
  if (sameOnly && now !== before) return false;
  if (now && now !== before) answer = await fetchPage("/");
  const own = held.get(now);
  if (own && own.url !== answer.url) answer = await fetchPage(own.url);
  if (!answer.isComplete || !now) return false;
  replacePage(answer);
  // A form whose draft was saved meanwhile is part of the page that was just fetched.
  if (own) restoreForms(own.forms.filter(hasUnsavedText));
  if (own) reopenEdits(own.editIds);
  held.delete(now);
  if (hasFormsOfOthers()) showOthersNotice();
  return true;
}
