/* The small menus of the page. They are scrolled into view when they open or fill; the menu of an entry closes on
Escape, on a click elsewhere and on a choice (traces.js does this for the panels of traces). */
const OPEN_MENU = "details.entry-menu[open]";
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
    if (target.open) scrollIntoView(target.querySelector(".entry-menu-panel, .trace-panel"));
  }, true);
  listen("htmx:afterSwap", ({ detail }) => scrollIntoView(detail.target.closest(".entry-menu-panel, .trace-panel")));
  listen("click", ({ target }) => {
    const menu = findOpenMenu();
    if (menu && !menu.contains(target)) menu.removeAttribute("open");
  });
  listen("keydown", ({ key }) => key === "Escape" && close(findOpenMenu()));
  listen("htmx:beforeRequest", (event) => {
    // A menu is fetched when it opens, not when it closes.
    if (event.target.matches("details.entry-menu:not([open])")) event.preventDefault();
    // After a choice the focus goes back to where the menu was opened.
    if (event.target.matches("form")) close(event.target.closest(OPEN_MENU));
  });
}
