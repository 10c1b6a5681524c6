/* Saves a draft on the server, and handles its answer: saved, or in conflict with a text that was saved elsewhere. */
import { showConflict } from "./conflict.js";
import { getDraftRevision, getState, getTextField, isDirty, markConfirmed, showSaveState } from "./editor_state.js";
import { getErrorMessage, post, readBody } from "./request.js";

const SLOW_MS = 1000;
/* The most that a page may send while it is being left: 64 kB, of characters of up to three bytes. */
const KEEPALIVE_LENGTH = 20_000;
const getField = (form, name) => form.elements.namedItem(name);
/* A new note has a name beside its text, which is part of its draft. */
const getNameField = (form) => getField(form, "note_name");

/* A text that was sent without an answer may have been saved, under a revision this page does not know. It is sent
along, so that the server does not take it for the text of another page. */
function getUnanswered(form, text) {
  const { unansweredText } = getState(form);
  return text.length + unansweredText.length < KEEPALIVE_LENGTH ? unansweredText : "";
}

async function send(form, options) {
  const state = getState(form);
  const text = getTextField(form).value;
  state.sentTexts = [text, ...state.sentTexts.slice(0, 3)];
  const fields = { owner: getField(form, "owner").value, revision: getDraftRevision(form).value, text };
  if (getField(form, "entry")) {
    fields.entry = getField(form, "entry").value;
    fields.based_on = getField(form, "revision").value;
  }
  const nameField = getNameField(form);
  if (nameField) fields.note_name = nameField.value;
  const unanswered = getUnanswered(form, text);
  if (unanswered) fields.over = unanswered;
  state.unansweredText = text;
  const headers = { Accept: "application/json" };
  const response = await post(form.dataset.draftUrl, fields, { ...options, headers });
  const answer = await readBody(response);
  if (state.unansweredText === text) state.unansweredText = "";
  // Without a text there is no draft, and a name alone stays in the page.
  if (response.ok && nameField && text) nameField.defaultValue = fields.note_name;
  if (response.ok) applySaved(form, text, answer);
  else if (response.status === 409 && answer.text !== undefined) applyConflict(form, answer);
  else throw new Error(getErrorMessage(response.status, answer));
}

function applySaved(form, text, answer) {
  getState(form).hasFailed = false;
  getDraftRevision(form).value = answer.revision;
  markConfirmed(form, text);
  form.removeAttribute("data-dirty");
  showSaveState(form, text && answer.saved_at ? `Draft saved ${answer.saved_at}` : "");
}

/* The other text may be one that this page itself sent meanwhile, when it was hidden. */
function applyConflict(form, answer) {
  const isOwn = [getTextField(form).value, ...getState(form).sentTexts].includes(answer.text);
  if (isOwn) applySaved(form, answer.text, { revision: answer.revision });
  else showConflict(form, answer);
}

const needsSave = (form) => !getState(form).isSubmitting && !getState(form).hasConflict && isDirty(form);

async function trySave(form, options) {
  const state = getState(form);
  showSaveState(form, "Saving");
  state.draftSaveStart ??= performance.now();
  const before = state.draftSave;
  const sending = send(form, options).catch((error) => {
    state.hasFailed = true;
    const isUnreachable = error instanceof TypeError || error.name === "TimeoutError";
    showSaveState(form, `Not saved: ${isUnreachable ? getErrorMessage(0) : error.message}`, { isError: true });
  });
  state.draftSave = Promise.all([before, sending]);
  const latest = state.draftSave;
  await latest;
  if (state.draftSave === latest) state.draftSave = state.draftSaveStart = state.sentOnLeave = null;
}

export async function saveDraft(form, options = {}) {
  if (!needsSave(form)) return;
  await getState(form).draftSave;
  if (needsSave(form)) await trySave(form, options);
}

/* A page that is being left does not wait for a save under way, which may be cut off. Browsers report the leaving more
than once. */
export function saveOnLeave(form) {
  const state = getState(form), text = getTextField(form).value;
  if (!needsSave(form) || state.sentOnLeave === text) return;
  state.sentOnLeave = text;
  trySave(form, { keepalive: text.length < KEEPALIVE_LENGTH });
}

/* Whether leaving now could lose text: a save failed, is in conflict or still tried, takes long, or the text is too
long to be sent while leaving. */
export function isAtRisk(form) {
  const state = getState(form);
  const isSlow = state.draftSave && performance.now() - state.draftSaveStart > SLOW_MS;
  const isTooLong = getTextField(form).value.length >= KEEPALIVE_LENGTH;
  return isDirty(form) && (state.hasFailed || state.hasConflict || state.isSubmitting || isSlow || isTooLong);
}
