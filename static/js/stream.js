/* Puts what the socket brings into the page: snapshot, numbered deltas, end. */
import { focusIn } from "./focus.js";
import { fragment } from "./request.js";
import { announce } from "./said.js";

/* How far each section on the page has come. One that arrived by another way (an entry fragment, say) has no
number here, and the whole is asked for before anything is added to it. */
let reached = new WeakMap();

const UNFINISHED = ["waiting", "writing"];
/* Those that are over. The answer to the request that asked for one may come after its end. */
const ended = new Set();

const atTheEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 48;

/* Follows only a reader who is at the end, and only the reply that is at the end. */
function following(place, change) {
  const entries = document.querySelectorAll("#entries > .entry");
  const follow = atTheEnd() && entries[entries.length - 1]?.contains(place);
  change();
  if (follow) window.scrollTo({ top: document.documentElement.scrollHeight });
}

function put(made, old, place) {
  if (old) old.replaceWith(made);
  // A day has one opening: it takes the place of whatever stood there.
  else if (place.matches("[data-single]")) place.replaceChildren(made);
  else place.append(made);
}

function whole({ reply, place: name, seq, html }) {
  const made = fragment(html).firstElementChild;
  const old = document.getElementById(`reply-${reply}`);
  const place = old ?? document.getElementById(name);
  if (!made) old?.remove();
  if (!place || !made) return;
  reached.set(made, seq);
  // What stands in a place for one is another section, under an id of its own.
  const hadFocus = (old ?? place.closest("[data-single]"))?.contains(document.activeElement);
  following(place, () => put(made, old, place));
  if (hadFocus) focusIn(made);
  window.htmx?.process(made);
}

function think(section, thoughts) {
  const place = section.querySelector("[data-thoughts]");
  place?.append(thoughts);
  place?.closest("details").removeAttribute("hidden");
}

function delta({ reply, seq, settled, tail, state, note, thoughts }, again) {
  const section = document.getElementById(`reply-${reply}`);
  if (!section || seq <= reached.get(section)) return;
  if (seq !== reached.get(section) + 1) {
    reached.set(section, Infinity);
    again(reply);
    return;
  }
  reached.set(section, seq);
  following(section, () => {
    if (settled) section.querySelector("[data-settled]").append(fragment(settled));
    section.querySelector("[data-tail]").replaceChildren(fragment(tail ?? ""));
    if (note !== undefined) section.querySelector("[data-note]").textContent = note ?? "";
    if (state) section.dataset.state = state;
    if (thoughts) think(section, thoughts);
  });
}

/* The ids of the sections that still say they are being written. */
export function unfinished() {
  const sections = document.querySelectorAll(UNFINISHED.map((state) => `[data-reply][data-state="${state}"]`).join());
  return [...sections].map(({ id }) => id.replace("reply-", ""));
}

/* The same, of which the end was heard before. */
export const overtaken = () => unfinished().filter((reply) => ended.has(reply));

export function forget() {
  reached = new WeakMap();
}

/* What is said of a section that has come to its end. Who stopped one knows; a day is opened unasked. */
function news(section) {
  const { state } = section.dataset;
  if (state === "stopped") return "";
  if (state === "done" && !section.closest("[data-single]")) return "Llamora has answered.";
  return section.querySelector("[data-note]").textContent.trim();
}

export function apply(frame, again) {
  if (frame.type === "snapshot") {
    announce("");
    whole(frame);
  } else if (frame.type === "delta") delta(frame, again);
  else if (frame.type === "end") {
    // A page that was made after the end has it already; it is not news there.
    const old = document.getElementById(`reply-${frame.reply}`);
    const isNews = frame.html && (!old || UNFINISHED.includes(old.dataset.state));
    whole(frame);
    ended.add(frame.reply);
    // One whose entry has gone to another day since is not on this page at all.
    const section = document.getElementById(`reply-${frame.reply}`);
    if (isNews && section) announce(news(section));
  }
}
