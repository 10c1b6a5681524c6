/* Attaches controllers to elements with data-controller, now and when elements are added, and detaches them on removal.

A controller is a module whose default export is `attach(element, signal)`. Every listener and timer it starts ends
with the signal, so an element that is removed from the page leaves nothing running. */
const attached = new Map();
/* The functions `attach` by the names of their controllers: of those that are always needed, and of those that were
fetched before. They are called at once, so that a key pressed just after a swap is not missed. */
const known = new Map();

/* Retries, because the network or the server may be away when a module is first needed. */
async function loadModule(load, signal) {
  for (let seconds = 1; load && !signal.aborted; seconds = Math.min(2 * seconds, 30)) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    }
  }
}

async function attach(element, loaders) {
  if (attached.has(element)) return;
  const abort = new AbortController();
  attached.set(element, abort);
  for (const name of element.dataset.controller.split(/\s+/)) {
    const start = known.get(name) ?? (await loadModule(loaders[name], abort.signal))?.default;
    if (start) known.set(name, start);
    if (start && !abort.signal.aborted) start(element, abort.signal);
  }
}

function detachRemoved() {
  for (const [element, abort] of attached) {
    if (element.isConnected) continue;
    attached.delete(element);
    abort.abort();
  }
}

function findControllerElements(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const inside = [...node.querySelectorAll("[data-controller]")];
  return node.matches("[data-controller]") ? [node, ...inside] : inside;
}

export function startControllers(controllers, loaders) {
  for (const [name, start] of Object.entries(controllers)) known.set(name, start);
  const observer = new MutationObserver((changes) => {
    if (changes.some((change) => change.removedNodes.length)) detachRemoved();
    for (const change of changes) {
      for (const node of change.addedNodes) {
        for (const element of findControllerElements(node)) if (element.isConnected) attach(element, loaders);
      }
    }
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });
  for (const element of findControllerElements(document.documentElement)) attach(element, loaders);
}
