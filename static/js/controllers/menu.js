/* The small menus of the page. They are scrolled into view when they open or fill; the menu of reply styles closes on
Escape, on a click elsewhere and on a choice (traces.js does this for the panels of traces). */
const OPEN_MENU = "details.reply-kinds[open]";
const findOpenMenu = () => document.querySelector(OPEN_MENU);

const scrollIntoView = (panel) => panel?.scrollIntoView({ block: "nearest" });

function close(menu) {
  menu?.removeAttribute("open");
  menu?.querySelector("summary").focus();
}

export default function attach(body, signal) {
  const listen = (name, act, capture = false) => document.addEventListener(name, act, { signal, capture });
  // `toggle` does not bubble, so it is captured.
  listen("toggle", ({ target }) => {
    if (target.open) scrollIntoView(target.querySelector(".reply-kinds-menu, .trace-panel"));
  }, true);
  listen("htmx:afterSwap", ({ detail }) => scrollIntoView(detail.target.closest(".reply-kinds-menu, .trace-panel")));
  listen("click", ({ target }) => {
    const menu = findOpenMenu();
    if (menu && !menu.contains(target)) menu.removeAttribute("open");
  });
  listen("keydown", ({ key }) => key === "Escape" && close(findOpenMenu()));
  // After a choice the focus goes back to where the menu was opened.
  listen("htmx:beforeRequest", ({ target }) => target.matches("form") && close(target.closest(OPEN_MENU)));
}
