/* Keyboard shortcuts: single keys that are pressed outside of text fields, unless the person has switched them off. */
export const TEXT_FIELDS = "input, textarea, select, [contenteditable]";

export function isShortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || "noShortcuts" in document.body.dataset) return false;
  return !event.target.closest?.(TEXT_FIELDS);
}
