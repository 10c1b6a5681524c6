/* Locks the page: hides its content and opens the unlock dialog; unsaved text waits until the unlock. */
import { saveDraft } from "../draft_save.js";
import { isDirty } from "../editor_state.js";
import { hasUnsavedForms, hidePage } from "../lock_page.js";
import { post } from "../request.js";
import { isShortcut } from "../shortcuts.js";
import { initUnlockDialog, isLocked, openUnlockDialog } from "../unlock_dialog.js";

const SAVE_WAIT_MS = 2000;
const getDraftForms = () => [...document.querySelectorAll("form[data-draft-url]")];

/* Drafts are sent first: the server still accepts them from a page that is signed in and locked. */
function lock(options) {
  if (isLocked()) return;
  for (const form of getDraftForms()) if (isDirty(form)) saveDraft(form);
  hidePage();
  openUnlockDialog(options);
}

/* Lock and sign out wait a moment for drafts to be saved. With unsaved text left, lock keeps the page open. */
async function onSubmit(event) {
  const form = event.target.closest("form[data-lock], form[data-sign-out]");
  if (!form) return;
  event.preventDefault();
  const saves = Promise.all(getDraftForms().map((draftForm) => saveDraft(draftForm)));
  await Promise.race([saves, new Promise((finish) => setTimeout(finish, SAVE_WAIT_MS))]);
  const hasUnsaved = [...document.querySelectorAll("form[data-preserve]")].some(isDirty);
  if (!hasUnsaved || form.matches("[data-sign-out]")) return form.submit();
  return lock({ after: post(form.action, new FormData(form), { ignoreLock: true }).catch(() => {}) });
}

function onKeydown(event) {
  if (event.key.toLowerCase() !== "l" || !isShortcut(event) || isLocked()) return;
  document.querySelector("form[data-lock]")?.requestSubmit();
}

export default function attach(body, signal) {
  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  initUnlockDialog(listen);
  listen(document, "llamora:locked", () => lock());
  listen(document, "llamora:signed-out", () => lock({ signedOut: true }));
  listen(document, "submit", onSubmit);
  listen(document, "keydown", onKeydown);
  listen(window, "beforeunload", (event) => hasUnsavedForms() && event.preventDefault());
  // A page in the back/forward cache must not be readable after a lock: it is stored hidden and reloaded when shown.
  listen(window, "pagehide", (event) => document.documentElement.classList.toggle("hidden-in-cache", event.persisted));
  listen(window, "pageshow", (event) => event.persisted && location.reload());
}
