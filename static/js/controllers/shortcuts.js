/* Keyboard shortcuts. The element that names a key in `aria-keyshortcuts` is clicked, or focused if it is a text field;
`?` opens the list of shortcuts in a dialog. The key that locks is handled by vault.js, also on pages without this. */
import { parseHtml } from "../request.js";
import { TEXT_FIELDS, isShortcut } from "../shortcuts.js";
import { isLocked } from "../unlock_dialog.js";

const findTarget = (key) => document.querySelector(`[aria-keyshortcuts="${CSS.escape(key)}"]:not([data-lock] *)`);

async function loadList(dialog, url) {
  const headers = { "HX-Request": "true" };
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers });
  const list = parseHtml(await response.text()).getElementById("shortcuts");
  if (!response.ok || !list) return false;
  const close = document.createElement("button");
  close.className = "button quiet";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(list, close);
  return true;
}

async function openDialog(link) {
  const dialog = document.createElement("dialog");
  dialog.className = "shortcuts-dialog";
  dialog.setAttribute("aria-labelledby", "shortcuts-title");
  if (!(await loadList(dialog, link.href).catch(() => false)) || isLocked()) return;
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => event.key === "?" && dialog.close());
  dialog.showModal();
}

function onKeydown(event) {
  if (!isShortcut(event) || event.repeat || event.defaultPrevented) return;
  if (isLocked() || document.querySelector("dialog[open]")) return;
  const target = event.key.length === 1 && findTarget(event.key.toUpperCase());
  if (!target) return;
  event.preventDefault();
  if (target.matches(TEXT_FIELDS)) target.focus();
  else target.click();
}

/* Shortcuts that are switched off are not announced by screen readers either. */
function removeKeyNames(body) {
  for (const element of body.querySelectorAll("[aria-keyshortcuts]")) {
    if (element.getAttribute("aria-keyshortcuts").length === 1) element.removeAttribute("aria-keyshortcuts");
  }
}

export default function attach(body, signal) {
  if ("noShortcuts" in body.dataset) removeKeyNames(body);
  document.addEventListener("keydown", onKeydown, { signal });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-shortcuts]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openDialog(link);
  }, { signal });
}
