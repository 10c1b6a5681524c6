/* The WebSocket of the page: brings replies while they are written, and says when the diary was locked. */
import { applyFrame, getOutdated, getUnfinished, resetSequence } from "../stream.js";

/* The diary is locked, or the browser is signed in as somebody else: in both cases this page must not stay readable. */
const LOCKED_CODES = [4401, 4403];
const dispatch = (name) => document.dispatchEvent(new CustomEvent(name));

export default function attach(body, signal) {
  let socket;
  let tries = 0;
  let timer;
  const send = (frame) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
  const requestSnapshot = (reply) => send({ type: "again", reply });

  function onMessage({ data }) {
    const frame = JSON.parse(data);
    if (frame.type === "locked") dispatch("llamora:locked");
    else if (frame.type === "signed_out") dispatch("llamora:signed-out");
    else applyFrame(frame, requestSnapshot);
  }

  function connect() {
    clearTimeout(timer);
    if (signal.aborted || document.getElementById("unlock").open || socket?.readyState <= WebSocket.OPEN) return;
    const current = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live/`);
    socket = current;
    current.addEventListener("open", () => {
      tries = 0;
      resetSequence();
      const { day, conversation, owner } = body.dataset;
      if (day) send({ type: "watch", day, owner });
      if (conversation) send({ type: "watch", conversation, owner });
      // A reply that ended while there was no connection is sent only on request.
      getUnfinished().forEach(requestSnapshot);
    });
    current.addEventListener("message", onMessage);
    current.addEventListener("close", ({ code }) => {
      if (current !== socket || signal.aborted) return;
      if (LOCKED_CODES.includes(code)) return dispatch("llamora:locked");
      tries += 1;
      timer = setTimeout(connect, Math.min(20_000, 300 * 2 ** tries) * (0.7 + Math.random() * 0.6));
    });
  }

  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  listen(document, "llamora:unlocked", () => (socket?.close(), (socket = null), connect()));
  listen(document, "visibilitychange", () => document.visibilityState === "visible" && connect());
  listen(window, "online", connect);
  signal.addEventListener("abort", () => (clearTimeout(timer), socket?.close()));
  // A new reply is scrolled into view, not hidden behind the composer, unless the reader has scrolled meanwhile.
  let scrollBefore;
  listen(document, "htmx:beforeRequest", () => (scrollBefore = window.scrollY));
  listen(document, "htmx:afterRequest", ({ detail }) => {
    if (!detail.successful || !detail.target.matches?.(".replies") || window.scrollY !== scrollBefore) return;
    detail.target.lastElementChild?.scrollIntoView({ block: "nearest" });
  });
  // The socket may bring a reply before the response to the request that started it.
  listen(document, "htmx:beforeSwap", ({ detail }) => {
    const id = detail.target.matches?.(".replies, #opening") && detail.serverResponse.match(/id="(reply-[^"]+)"/)?.[1];
    if (id && document.getElementById(id)) detail.shouldSwap = false;
  });
  listen(document, "htmx:afterSwap", () => getOutdated().forEach(requestSnapshot));
  connect();
}
