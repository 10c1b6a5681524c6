/* The link to the search: a click, or the key that shortcuts.js turns into one, opens the search box in a dialog. On a
page that was opened from a result, marks the words that were found. Neither leaves anything in the browser. */
import { parseFragment, post } from "../request.js";
import { isLocked } from "../unlock_dialog.js";

/* On a phone the dialog fills the screen, and there is no Escape key. */
function addCloseButton(dialog) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "text-button search-close";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.querySelector(".search-line").append(close);
}

async function openDialog(link) {
  const field = document.getElementById("search-text");
  if (field) return field.focus();
  const headers = { "HX-Request": "true" };
  const response = await fetch(link.dataset.boxUrl, { credentials: "same-origin", cache: "no-store", headers });
  if (!response.ok || isLocked()) return location.assign(link.href);
  const dialog = document.createElement("dialog");
  dialog.className = "search-dialog";
  dialog.setAttribute("aria-label", "Search");
  dialog.append(parseFragment(await response.text()));
  addCloseButton(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // A result on this very page changes only the hash, so the dialog has to be closed.
  dialog.addEventListener("click", (event) => event.target.closest(".hit a") && setTimeout(() => dialog.close()));
  // A search field uses Escape to empty itself; here it closes the dialog, as elsewhere.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && (event.preventDefault(), dialog.close()));
  document.getElementById("shell").append(dialog);
  dialog.showModal();
}

function wrapInMark(node, index, length) {
  const found = node.splitText(index);
  found.splitText(length);
  const mark = document.createElement("mark");
  mark.className = "found";
  found.replaceWith(mark);
  mark.append(found);
}

/* Marks words in the text as it is displayed, the longest first. A word across several elements is not marked. */
function markWords(element, words) {
  const longestFirst = words.sort((a, b) => b.length - a.length);
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (let rest = node; rest; ) {
      const [index, word] = longestFirst
        .map((candidate) => [rest.data.indexOf(candidate), candidate])
        .filter(([position]) => position >= 0)
        .sort(([a], [b]) => a - b)[0] ?? [-1];
      if (index < 0) break;
      wrapInMark(rest, index, word.length);
      rest = rest.nextSibling?.nextSibling;
    }
  }
}

async function markFound(link) {
  const address = new URL(location.href);
  const found = address.searchParams.get("found");
  const target = document.getElementById(address.hash.slice(1));
  if (!found) return;
  address.searchParams.delete("found");
  history.replaceState(null, "", address);
  if (!target) return;
  const id = target.id.replace(/^(entry|reply)-/, "");
  const response = await post(link.dataset.marksUrl, { owner: document.body.dataset.owner, found, id });
  if (!response.ok || isLocked()) return;
  const text = target.querySelector(".prose") ?? target;
  markWords(text, (await response.json()).marks);
  (text.querySelector("mark.found") ?? target).scrollIntoView({ block: "center" });
}

export default function attach(link, signal) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    openDialog(link);
  }, { signal });
  markFound(link);
}
