/* Keyboard navigation in the heatmap of a trace, which is one stop for the Tab key.

Up and down go to the previous and next day with entries, left and right to the nearest at least a week away, Home and
End to the first and last. Beyond the year its neighbour is opened. */
const DIRECTIONS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [-1, 7], ArrowRight: [1, 7] };

const getDays = (section) => [...section.querySelectorAll("a[data-date]")];
const getDayNumber = (link) => Date.parse(link.dataset.date) / 86_400_000;

function findNext(links, link, [direction, minimum]) {
  const index = links.indexOf(link);
  const beyond = direction > 0 ? links.slice(index + 1) : links.slice(0, index).reverse();
  const isFarEnough = (other) => Math.abs(getDayNumber(other) - getDayNumber(link)) >= minimum;
  return beyond.find(isFarEnough) ?? (minimum ? beyond.at(-1) : undefined);
}

function moveFocus(section, link, key) {
  const links = getDays(section);
  if (key === "Home") return links[0].focus();
  if (key === "End") return links.at(-1).focus();
  const next = findNext(links, link, DIRECTIONS[key]);
  if (next) return next.focus();
  return section.querySelector(DIRECTIONS[key][0] < 0 ? "[data-earlier]" : "[data-later]")?.click();
}

export default function attach(section, signal) {
  const setStop = (chosen) =>
    getDays(section).forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
  setStop(getDays(section).at(-1));
  section.addEventListener("focusin", ({ target }) => target.matches("a.heat") && setStop(target), { signal });
  section.addEventListener("keydown", (event) => {
    const link = event.target.closest("a.heat");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!(event.key in DIRECTIONS) && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    moveFocus(section, link, event.key);
  }, { signal });
}
