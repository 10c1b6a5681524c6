/* Puts the frames of the socket into the page: a snapshot of a section, numbered deltas, and its end. */
import { focusInside } from "./focus.js";
import { announce } from "./live_region.js";
import { parseFragment } from "./request.js";

/* The number of the last frame of each section. A section that came another way (with an entry, say) has none, so a
snapshot is requested before anything is added to it. */
let lastSeq = new WeakMap();

const UNFINISHED = ["waiting", "writing"];
/* Replies that have ended. The response to the request that started one may come after its end. */
const ended = new Set();

const isAtPageEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 48;

/* Scrolls along only for a reader at the end of the page, and only with a reply to the last entry or question. */
function changeAndFollow(section, change) {
  const entries = document.querySelectorAll("#entries > .entry, #conversation > .question");
  const isFollowing = isAtPageEnd() && entries[entries.length - 1]?.contains(section);
  change();
  if (isFollowing) window.scrollTo({ top: document.documentElement.scrollHeight });
}

function insertSection(section, old, target) {
  if (old) old.replaceWith(section);
  // A day has one opening: it replaces what was there.
  else if (target.matches("[data-single]")) target.replaceChildren(section);
  else target.append(section);
}

function applySnapshot({ reply, place: targetId, seq, html }) {
  const section = parseFragment(html).firstElementChild;
  const old = document.getElementById(`reply-${reply}`);
  const target = old ?? document.getElementById(targetId);
  if (!section) old?.remove();
  if (!target || !section) return;
  if (old?.isEqualNode(section)) return void lastSeq.set(old, seq);
  lastSeq.set(section, seq);
  // The section that is replaced in a data-single element has another id.
  const hadFocus = (old ?? target.closest("[data-single]"))?.contains(document.activeElement);
  changeAndFollow(target, () => insertSection(section, old, target));
  if (hadFocus) focusInside(section);
  window.htmx?.process(section);
}

function appendThoughts(section, thoughts) {
  const element = section.querySelector("[data-thoughts]");
  element?.append(thoughts);
  element?.closest("details").removeAttribute("hidden");
}

function applyDelta({ reply, seq, settled, tail, state, note, thoughts }, requestSnapshot) {
  const section = document.getElementById(`reply-${reply}`);
  if (!section || seq <= lastSeq.get(section)) return;
  if (seq !== lastSeq.get(section) + 1) {
    lastSeq.set(section, Infinity);
    requestSnapshot(reply);
    return;
  }
  lastSeq.set(section, seq);
  changeAndFollow(section, () => {
    if (settled) section.querySelector("[data-settled]").append(parseFragment(settled));
    section.querySelector("[data-tail]").replaceChildren(parseFragment(tail ?? ""));
    if (note !== undefined) section.querySelector("[data-note]").textContent = note ?? "";
    if (state) section.dataset.state = state;
    if (thoughts) appendThoughts(section, thoughts);
  });
}

/* The ids of replies that are unfinished on the page. */
export function getUnfinished() {
  const sections = document.querySelectorAll(UNFINISHED.map((state) => `[data-reply][data-state="${state}"]`).join());
  return [...sections].map(({ id }) => id.replace("reply-", ""));
}

/* Those of them whose end has come already. */
export const getOutdated = () => getUnfinished().filter((reply) => ended.has(reply));

export function resetSequence() {
  lastSeq = new WeakMap();
}

/* What is announced of a section that has ended. Nobody asked for an opening; whoever stopped a reply knows it. */
function getAnnouncement(section) {
  const { state } = section.dataset;
  if (state === "stopped") return "";
  if (state === "done" && !section.closest("[data-single]")) return "Llamora has replied.";
  return section.querySelector("[data-note]")?.textContent.trim() ?? "";
}

function applyEnd(frame) {
  // A page that was made after the end shows it already, so it is no news there.
  const old = document.getElementById(`reply-${frame.reply}`);
  const isNews = frame.html && (!old || UNFINISHED.includes(old.dataset.state));
  applySnapshot(frame);
  ended.add(frame.reply);
  // The section is not on this page if its entry was moved to another day.
  const section = document.getElementById(`reply-${frame.reply}`);
  if (isNews && section) announce(getAnnouncement(section));
}

export function applyFrame(frame, requestSnapshot) {
  if (frame.type === "snapshot") {
    announce("");
    applySnapshot(frame);
  } else if (frame.type === "delta") applyDelta(frame, requestSnapshot);
  else if (frame.type === "end") applyEnd(frame);
  // A part of the line about the model.
  else applySnapshot(frame);
}
