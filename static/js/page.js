/* Taking a page's words away, and bringing them back around what was being written.

Unsaved forms are held here, in memory and outside the document, under their owner's id: another person who
unlocks this tab is neither shown nor sent them. */
import { parse } from "./request.js";
import { field, holdsWords, isDirty } from "./writing.js";

const held = new Map();
let resumed = null;

export const owner = () => document.body.dataset.owner;
export const holdsForOthers = () => [...held].some(([id, { forms }]) => id !== owner() && forms.length);
export const holdsUnsaved = () => [...held.values()].some(({ forms }) => forms.some(isDirty));

export function takeAway() {
  const forms = [...document.querySelectorAll("form[data-keeps]")].filter(holdsWords);
  const edited = [...document.querySelectorAll("form.edit")].map((form) => form.id);
  const { day } = document.body.dataset;
  const url = new URL(day ? `/d/${day}/` : location.pathname, location.href).href;
  if (forms.length || edited.length) held.set(owner(), { url, forms, edited });
  for (const form of forms) form.remove();
  document.getElementById("shell").replaceChildren();
  document.getElementById("said").textContent = "";
  document.title = "Locked · Llamora";
}

async function fetched(url) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  const page = parse(await response.text());
  return { page, url: response.url, whole: response.ok && Boolean(page.getElementById("shell")) };
}

function show({ page, url }) {
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

/* A form whose place is gone (its entry was deleted meanwhile) still goes on the page: nothing written is lost. */
function giveBack(forms) {
  for (const form of forms) {
    const place = document.getElementById(form.id);
    if (place) place.replaceWith(form);
    else document.getElementById("main").prepend(form);
    window.htmx?.process(form);
    resumed = form;
  }
}

/* A change whose draft has reached the server is not held here: its form is asked for again. */
function reopen(ids) {
  for (const id of ids) document.querySelector(`article#${id} form[action$="/edit/"] button`)?.click();
}

/* To the sentence that was broken off; the caret is still where it was. */
export function resume() {
  if (resumed) field(resumed).focus();
  resumed = null;
}

function note() {
  const words = document.createElement("p");
  words.className = "note";
  words.setAttribute("role", "status");
  words.textContent =
    "Unsaved words of somebody else are hidden in this tab. They come back when that person unlocks it; closing the tab loses them.";
  document.getElementById("main").prepend(words);
}

/* Answers whether a page could be shown, whoever's it is unless `sameOnly`. */
export async function bringBack({ sameOnly = false } = {}) {
  const before = owner();
  let answer = await fetched(location.href);
  // A page that is not this person's is not there for them; their own day always is.
  if (!answer.whole) answer = await fetched("/");
  const now = answer.page.body.dataset.owner;
  if (sameOnly && now !== before) return false;
  if (now && now !== before) answer = await fetched("/");
  const mine = held.get(now);
  if (mine && mine.url !== answer.url) answer = await fetched(mine.url);
  if (!answer.whole || !now) return false;
  show(answer);
  // One whose draft has reached the server meanwhile is in the page that just came.
  if (mine) giveBack(mine.forms.filter(holdsWords));
  if (mine) reopen(mine.edited);
  held.delete(now);
  if (holdsForOthers()) note();
  return true;
}
