/* The suggested facts under an entry: they are fetched once a reply to it has ended, as their owner chose. */
const DELAY = 500;

export default function attach(container, signal) {
  const replies = container.closest(".entry")?.querySelector(".replies");
  if (!replies) return;
  const getEnded = () => [...replies.querySelectorAll('[data-reply][data-state="done"]')].map(({ id }) => id);
  const known = new Set(getEnded());
  let timer = 0;
  const observer = new MutationObserver(() => {
    const isNew = getEnded().some((id) => !known.has(id));
    if (!isNew || timer) return;
    // The search begins once the reply is saved.
    timer = setTimeout(() => {
      const options = { source: container, target: container, swap: "outerHTML" };
      window.htmx?.ajax("GET", container.dataset.factsUrl, options);
    }, DELAY);
  });
  observer.observe(replies, { childList: true, subtree: true, attributeFilter: ["data-state"] });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });
}
