/* "/" opens the box anywhere; a page opened from a result marks what was found. Both leave nothing in the browser. */
import { isLocked } from "../dialog.js";
import { fragment, post } from "../request.js";
import { isSingleKey } from "../singlekeys.js";

/* On a phone the box fills the screen, and there is no Escape. */
function wayOut(dialog) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "act search-close";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.querySelector(".search-line").append(close);
}

async function open(link) {
  const standing = document.getElementById("search-text");
  if (standing) return standing.focus();
  const response = await fetch(link.dataset.box, { credentials: "same-origin", cache: "no-store", headers: { "HX-Request": "true" } });
  if (!response.ok || isLocked()) return location.assign(link.href);
  const dialog = document.createElement("dialog");
  dialog.className = "search-dialog";
  dialog.setAttribute("aria-label", "Search");
  dialog.append(fragment(await response.text()));
  wayOut(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // A result on this very page only moves the hash: the dialog must not stay over it.
  dialog.addEventListener("click", (event) => event.target.closest(".hit a") && setTimeout(() => dialog.close()));
  // A search field takes Escape for itself, to empty it; here it closes, as it does everywhere.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && (event.preventDefault(), dialog.close()));
  document.getElementById("shell").append(dialog);
  dialog.showModal();
}

function wrap(node, at, length) {
  const found = node.splitText(at);
  found.splitText(length);
  const mark = document.createElement("mark");
  mark.className = "found";
  found.replaceWith(mark);
  mark.append(found);
}

/* The text as it is shown: words that stand in one piece of it are marked, the longest first. */
function mark(element, words) {
  const longest = words.sort((a, b) => b.length - a.length);
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    for (let rest = node; rest; ) {
      const [at, word] = longest
        .map((one) => [rest.data.indexOf(one), one])
        .filter(([place]) => place >= 0)
        .sort(([a], [b]) => a - b)[0] ?? [-1];
      if (at < 0) break;
      wrap(rest, at, word.length);
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
  const response = await post(link.dataset.place, { owner: document.body.dataset.owner, found, id });
  if (!response.ok || isLocked()) return;
  const own = target.querySelector(".prose") ?? target;
  mark(own, (await response.json()).marks);
  (own.querySelector("mark.found") ?? target).scrollIntoView({ block: "center" });
}

function pressed(event, link) {
  if (event.key !== "/" || !isSingleKey(event) || isLocked()) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  open(link);
}

export default function attach(link, signal) {
  document.addEventListener("keydown", (event) => pressed(event, link), { signal });
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link);
  }, { signal });
  markFound(link);
}
