/* Attaches controllers to [data-controller] elements, now and whenever some arrive, and lets go when they leave.

A controller is a module whose default export is `attach(element, signal)`: every listener and timer it
starts ends with the signal, so an element taken out of the page leaves nothing running behind it. */
const attached = new Map();
/* A module that was fetched once is attached at once: a key pressed just after a swap must not fall in between. */
const ready = new Map();

/* The network, or the server, may be away just when a part of the page is first wanted. */
async function fetched(load, signal) {
  for (let seconds = 1; load && !signal.aborted; seconds = Math.min(2 * seconds, 30)) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((again) => setTimeout(again, 1000 * seconds));
    }
  }
}

async function attach(element, known) {
  if (attached.has(element)) return;
  const life = new AbortController();
  attached.set(element, life);
  for (const name of element.dataset.controller.split(/\s+/)) {
    const module = ready.get(name) ?? (await fetched(known[name], life.signal));
    if (module) ready.set(name, module);
    if (module && !life.signal.aborted) module.default(element, life.signal);
  }
}

function letGo() {
  for (const [element, life] of attached) {
    if (element.isConnected) continue;
    attached.delete(element);
    life.abort();
  }
}

function within(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const inside = [...node.querySelectorAll("[data-controller]")];
  return node.matches("[data-controller]") ? [node, ...inside] : inside;
}

export function start(known) {
  const watch = new MutationObserver((changes) => {
    if (changes.some((change) => change.removedNodes.length)) letGo();
    for (const change of changes) {
      for (const node of change.addedNodes) {
        for (const element of within(node)) if (element.isConnected) attach(element, known);
      }
    }
  });
  watch.observe(document.documentElement, { childList: true, subtree: true });
  for (const element of within(document.documentElement)) attach(element, known);
}
