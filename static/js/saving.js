/* A draft on its way to the server: sent, confirmed, or refused beside another text. */
import { post, read, sentence } from "./request.js";
import { tear } from "./torn.js";
import { confirmed, draftRevision, field, isDirty, say, writing } from "./writing.js";

const SLOW = 1000;
/* What a page may still send while it goes: 64 kB, of characters of up to three bytes. */
const SHORT = 20_000;
const named = (form, name) => form.elements.namedItem(name);

/* What was sent and never answered may stand there by now, called what this page was never told: it is said as well. */
function sentBefore(form, text) {
  const { unheard } = writing(form);
  return text.length + unheard.length < SHORT ? unheard : "";
}

async function send(form, options) {
  const text = field(form).value;
  writing(form).sent = [text, ...writing(form).sent.slice(0, 3)];
  const fields = { owner: named(form, "owner").value, revision: draftRevision(form).value, text };
  if (named(form, "entry")) {
    fields.entry = named(form, "entry").value;
    fields.based_on = named(form, "revision").value;
  }
  const over = sentBefore(form, text);
  if (over) fields.over = over;
  writing(form).unheard = text;
  const headers = { Accept: "application/json" };
  const response = await post(form.dataset.draftUrl, fields, { ...options, headers });
  const answer = await read(response);
  if (writing(form).unheard === text) writing(form).unheard = "";
  if (response.ok) saved(form, text, answer);
  else if (response.status === 409 && answer.text !== undefined) disagree(form, answer);
  else throw new Error(sentence(response.status, answer));
}

function saved(form, text, answer) {
  writing(form).failed = false;
  draftRevision(form).value = answer.revision;
  confirmed(form, text);
  form.removeAttribute("data-dirty");
  say(form, text && answer.saved_at ? `Draft saved ${answer.saved_at}` : "");
}

/* What stands there may be what this page itself sent after this, when it was hidden meanwhile. */
function disagree(form, answer) {
  const isOurs = [field(form).value, ...writing(form).sent].includes(answer.text);
  if (isOurs) saved(form, answer.text, { revision: answer.revision });
  else tear(form, answer);
}

const mayWait = (form) => writing(form).keeping || writing(form).conflict || !isDirty(form);

async function attempt(form, options) {
  const state = writing(form);
  say(form, "Saving");
  state.since ??= performance.now();
  const before = state.saving;
  const sending = send(form, options).catch((error) => {
    state.failed = true;
    const words = error instanceof TypeError || error.name === "TimeoutError" ? sentence(0) : error.message;
    say(form, `Not saved: ${words}`, { amiss: true });
  });
  state.saving = Promise.all([before, sending]);
  const latest = state.saving;
  await latest;
  if (state.saving === latest) state.saving = state.since = state.going = null;
}

export async function save(form, options = {}) {
  if (mayWait(form)) return;
  await writing(form).saving;
  if (!mayWait(form)) await attempt(form, options);
}

/* A page that is going waits for nothing: the save under way may end with it. It is told of its going more than once. */
export function saveGoing(form) {
  const state = writing(form), text = field(form).value;
  if (mayWait(form) || state.going === text) return;
  state.going = text;
  attempt(form, { keepalive: text.length < SHORT });
}

/* Whether leaving now could lose words: a save failed, is refused or tried still, takes long, or is too long to be sent
by a page that is going. */
export function isAtRisk(form) {
  const state = writing(form);
  const isSlow = state.saving && performance.now() - state.since > SLOW;
  return isDirty(form) && (state.failed || state.conflict || state.keeping || isSlow || field(form).value.length >= SHORT);
}
