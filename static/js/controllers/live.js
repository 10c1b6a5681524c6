/* One socket for the page: replies as they are written, and the word that the vault has closed. */
import { apply, forget, overtaken, unfinished } from "../stream.js";

/* Not unlocked any more; or the browser has become somebody else's, and this page must not stay readable. */
const CLOSED_FOR_US = [4401, 4403];
const tell = (name) => document.dispatchEvent(new CustomEvent(name));

export default function attach(body, signal) {
  let socket;
  let tries = 0;
  let later;
  const send = (frame) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
  const again = (reply) => send({ type: "again", reply });

  function heard({ data }) {
    const frame = JSON.parse(data);
    if (frame.type === "locked") tell("llamora:locked");
    else if (frame.type === "signed_out") tell("llamora:signed-out");
    else apply(frame, again);
  }

  function connect() {
    clearTimeout(later);
    if (signal.aborted || document.getElementById("unlock").open || socket?.readyState <= WebSocket.OPEN) return;
    const here = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live/`);
    socket = here;
    here.addEventListener("open", () => {
      tries = 0;
      forget();
      if (body.dataset.day) send({ type: "watch", day: body.dataset.day, owner: body.dataset.owner });
      // One that ended while nobody listened is told only to who asks.
      unfinished().forEach(again);
    });
    here.addEventListener("message", heard);
    here.addEventListener("close", ({ code }) => {
      if (here !== socket || signal.aborted) return;
      if (CLOSED_FOR_US.includes(code)) return tell("llamora:locked");
      tries += 1;
      later = setTimeout(connect, Math.min(20_000, 300 * 2 ** tries) * (0.7 + Math.random() * 0.6));
    });
  }

  const listen = (target, name, act) => target.addEventListener(name, act, { signal });
  listen(document, "llamora:opened", () => (socket?.close(), (socket = null), connect()));
  listen(document, "visibilitychange", () => document.visibilityState === "visible" && connect());
  listen(window, "online", connect);
  signal.addEventListener("abort", () => (clearTimeout(later), socket?.close()));
  // An answer that was asked for does not begin behind the box, unless the reader has turned elsewhere meanwhile.
  let stood;
  listen(document, "htmx:beforeRequest", () => (stood = window.scrollY));
  listen(document, "htmx:afterRequest", ({ detail }) => {
    if (!detail.successful || !detail.target.matches?.(".replies") || window.scrollY !== stood) return;
    detail.target.lastElementChild?.scrollIntoView({ block: "nearest" });
  });
  // The socket may bring a reply before the answer to the request that asked for it.
  listen(document, "htmx:beforeSwap", ({ detail }) => {
    const id = detail.target.matches?.(".replies, #opening") && detail.serverResponse.match(/id="(reply-[^"]+)"/)?.[1];
    if (id && document.getElementById(id)) detail.shouldSwap = false;
  });
  listen(document, "htmx:afterSwap", () => overtaken().forEach(again));
  connect();
}
