/* Keeps an entry. The text leaves the box only when the server has confirmed it; what was typed meanwhile stays. */
import { post, read, sentence } from "../request.js";
import { announce } from "../said.js";
import { choose } from "../torn.js";
import { complain, confirmed, field, meansKeep, say, setText, writing } from "../writing.js";

const PATIENCE = 20_000;
const pause = (ms, signal) =>
  new Promise((done) => {
    const wake = setTimeout(done, ms);
    window.addEventListener("online", () => (clearTimeout(wake), done()), { once: true, signal });
    signal.addEventListener("abort", () => (clearTimeout(wake), done()), { once: true });
  });

/* The same key and the same text until an answer comes, so that a lost answer never keeps a text twice. */
async function insist(form, fields, signal) {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      return await post(form.action, copy(fields), { signal: AbortSignal.timeout(PATIENCE) });
    } catch {
      say(form, "Not saved, trying again", { amiss: true });
      await pause(Math.min(30_000, 1000 * 2 ** tries), signal);
    }
  }
  return null;
}

function copy(fields) {
  const made = new FormData();
  for (const [name, value] of fields) made.set(name, value);
  return made;
}

function adopt(form, fresh, sent) {
  const typed = field(form).value;
  for (const name of ["key", "revision"]) {
    form.elements.namedItem(name).value = fresh.querySelector(`[name=${name}]`).value;
  }
  confirmed(form, "");
  setText(form, typed.startsWith(sent) ? typed.slice(sent.length).replace(/^\n+/, "") : typed);
}

/* What the page said while nothing was written here is no longer so. */
function markWritten() {
  for (const empty of document.querySelectorAll(".welcome, .empty")) empty.remove();
  const cell = document.querySelector(`.calendar [data-date="${document.body.dataset.day}"]:not(.written)`);
  if (!cell) return;
  cell.classList.replace("opened", "written") || cell.classList.add("written");
  cell.querySelector(".visually-hidden")?.remove();
  const words = document.createElement("span");
  words.className = "visually-hidden";
  words.textContent = ", written";
  cell.append(words);
}

/* Of two texts one has been kept; the other is the draft of this day, as it is when the page is opened again. */
function goOnElsewhere(form) {
  const words = "Kept; what was written elsewhere is here now";
  choose(form, "elsewhere");
  say(form, words);
  announce(words);
}

function showKept(form, page, sent) {
  const entry = page.querySelector?.(".entry");
  const fresh = page.querySelector?.("#composer");
  if (!entry || !fresh) return showRefused(form, 0, null);
  document.getElementById(entry.id)?.remove();
  document.getElementById("entries").append(entry);
  window.htmx?.process(entry);
  markWritten();
  adopt(form, fresh, sent);
  if (writing(form).conflict && !field(form).value) goOnElsewhere(form);
  else say(form, field(form).value ? "Kept; the rest is still here" : "Kept");
  form.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
  return entry.scrollIntoView({ block: "nearest" });
}

function showRefused(form, status, answer) {
  if (status !== 401) complain(form, sentence(status, answer));
  say(form, "Not saved", { amiss: true });
}

async function keep(form, signal) {
  const state = writing(form);
  if (state.keeping) return;
  if (!field(form).value.trim()) return complain(form, "There is nothing to keep yet.");
  if (field(form).value.isWellFormed?.() === false) {
    return complain(form, "This holds half a character that cannot be kept. Take it out and try again.");
  }
  state.keeping = true;
  complain(form, "");
  say(form, "Saving");
  await Promise.race([state.saving, pause(3000, signal)]);
  const fields = state.unsure ?? new FormData(form);
  state.unsure = fields;
  const response = await insist(form, fields, signal);
  const answer = response ? await read(response) : null;
  state.keeping = false;
  if (!response) return;
  // Any other 5xx leaves open whether it was written: the next try repeats it word for word.
  if (response.status < 500 || response.status === 503) state.unsure = null;
  if (response.ok) showKept(form, answer, fields.get("text").replaceAll("\r\n", "\n"));
  else showRefused(form, response.status, answer);
}

function count(form) {
  const limit = Number(form.dataset.limit);
  const text = field(form).value;
  const left = limit && text.length > limit * 0.95 ? limit - [...text].length : Infinity;
  const words = left < 0 ? `${(-left).toLocaleString()} characters too many` : `${left.toLocaleString()} characters left`;
  form.querySelector("[data-count]").textContent = left < limit * 0.03 ? words : "";
}

export default function attach(form, signal) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(form, signal);
  }, { signal });
  form.addEventListener("keydown", (event) => {
    if (event.target !== field(form) || !meansKeep(event)) return;
    event.preventDefault();
    form.requestSubmit();
  }, { signal });
  form.addEventListener("input", () => count(form), { signal });
  count(form);
}
