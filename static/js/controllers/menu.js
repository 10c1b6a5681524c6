/* The small menus of the page: in sight when they open or fill; the ways of answering close by Escape, by a press
elsewhere and by a choice (those of traces: traces.js). */
const opened = () => document.querySelector("details.kinds[open]");

const inSight = (panel) => panel?.scrollIntoView({ block: "nearest" });

function close(menu) {
  menu?.removeAttribute("open");
  menu?.querySelector("summary").focus();
}

export default function attach(body, signal) {
  const listen = (name, act, capture = false) => document.addEventListener(name, act, { signal, capture });
  // `toggle` does not rise to the document; it can only be heard on its way down.
  listen("toggle", ({ target }) => target.open && inSight(target.querySelector(".kinds-menu, .trace-panel")), true);
  listen("htmx:afterSwap", ({ detail }) => inSight(detail.target.closest(".trace-panel")));
  listen("click", ({ target }) => {
    const menu = opened();
    if (menu && !menu.contains(target)) menu.removeAttribute("open");
  });
  listen("keydown", ({ key }) => key === "Escape" && close(opened()));
  // One that has been chosen from closes, and the keyboard stays where it was opened.
  listen("htmx:beforeRequest", ({ target }) => close(target.closest?.("details.kinds[open]")));
}
