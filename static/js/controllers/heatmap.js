/* A year of days, one stop for the Tab key: up and down go to the day before and after that is marked, left and
right to the nearest at least a week away, Home and End to the first and last. Beyond the year lies the next one. */
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [-1, 7], ArrowRight: [1, 7] };

const days = (section) => [...section.querySelectorAll("a[data-date]")];
const number = (link) => Date.parse(link.dataset.date) / 86_400_000;

function toward(links, link, [side, least]) {
  const at = links.indexOf(link);
  const beyond = side > 0 ? links.slice(at + 1) : links.slice(0, at).reverse();
  return beyond.find((other) => Math.abs(number(other) - number(link)) >= least) ?? (least ? beyond.at(-1) : undefined);
}

function walk(section, link, key) {
  const links = days(section);
  if (key === "Home") return links[0].focus();
  if (key === "End") return links.at(-1).focus();
  const found = toward(links, link, WAYS[key]);
  if (found) return found.focus();
  return section.querySelector(WAYS[key][0] < 0 ? "[data-earlier]" : "[data-later]")?.click();
}

export default function attach(section, signal) {
  const stop = (chosen) => days(section).forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
  stop(days(section).at(-1));
  section.addEventListener("focusin", ({ target }) => target.matches("a.heat") && stop(target), { signal });
  section.addEventListener("keydown", (event) => {
    const link = event.target.closest("a.heat");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!(event.key in WAYS) && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    walk(section, link, event.key);
  }, { signal });
}
