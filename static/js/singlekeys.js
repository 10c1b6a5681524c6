/* Keys that do something by themselves: a letter pressed outside of any box, unless its person has switched them off. */
const TYPED = "input, textarea, select, [contenteditable]";

export function isSingleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || "noSingleKeys" in document.body.dataset) return false;
  return !event.target.closest?.(TYPED);
}
