/* Keys that lead somewhere. Whatever names its key in `aria-keyshortcuts` is clicked, or focused where one types;
`?` lays the map of them over the page. The lock's own key is heard by vault.js, also where this is not. */
import { isLocked } from "../dialog.js";
import { parse } from "../request.js";
import { isSingleKey } from "../singlekeys.js";

const TYPED = "input, textarea, select, [contenteditable]";
const asked = (key) => document.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}"]:not([data-lock] *)`);

async function fill(sheet, url) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers: { "HX-Request": "true" } });
  const map = parse(await response.text()).getElementById("keys");
  if (!response.ok || !map) return false;
  const close = document.createElement("button");
  close.className = "button quiet";
  close.textContent = "Close";
  close.addEventListener("click", () => sheet.close());
  sheet.replaceChildren(map, close);
  return true;
}

async function lay(link) {
  const sheet = document.createElement("dialog");
  sheet.className = "keys-sheet";
  sheet.setAttribute("aria-labelledby", "keys-title");
  if (!(await fill(sheet, link.href).catch(() => false)) || isLocked()) return;
  document.body.append(sheet);
  sheet.addEventListener("close", () => sheet.remove());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  sheet.addEventListener("keydown", (event) => event.key === "?" && sheet.close());
  sheet.showModal();
}

function pressed(event) {
  if (!isSingleKey(event) || event.repeat || event.defaultPrevented) return;
  if (isLocked() || document.querySelector("dialog[open]")) return;
  const found = event.key.length === 1 && asked(event.key.toUpperCase());
  if (!found) return;
  event.preventDefault();
  if (found.matches(TYPED)) found.focus();
  else found.click();
}

/* A key that does nothing is not told to anybody. */
function forget(body) {
  for (const one of body.querySelectorAll("[aria-keyshortcuts]")) {
    if (one.getAttribute("aria-keyshortcuts").length === 1) one.removeAttribute("aria-keyshortcuts");
  }
}

export default function attach(body, signal) {
  if ("noSingleKeys" in body.dataset) forget(body);
  document.addEventListener("keydown", pressed, { signal });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-keys]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    lay(link);
  }, { signal });
}
