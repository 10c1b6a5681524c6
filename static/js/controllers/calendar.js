/* Keyboard navigation in a calendar, of a month or a whole year.

Arrows go from day to day, Home and End to the ends of the week, Page Up and Page Down from month to month; Enter opens,
as any link does; Escape goes to the page. Beyond a month the next month is loaded; beyond a year the page of the next
year, whose address ends in the day to focus. */
const DAY_STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTH_STEPS = { PageUp: -1, PageDown: 1 };
const KEYS = [...Object.keys(DAY_STEPS), ...Object.keys(MONTH_STEPS), "Home", "End", "Escape"];
/* The day to focus in the month that is being loaded. */
let dayToFocus = null;

const getDays = (element) => [...element.querySelectorAll("a.cell")];
/* The address of a day ends in its date. */
const getDate = (link) => link.pathname.split("/").at(-2);

function createDate(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date;
}

function addStep(iso, key) {
  const [year, month, day] = iso.split("-").map(Number);
  const step = MONTH_STEPS[key];
  const lastDay = step ? createDate(year, month + step, 0).getUTCDate() : 0;
  const date = step
    ? createDate(year, month - 1 + step, Math.min(day, lastDay))
    : createDate(year, month - 1, day + DAY_STEPS[key]);
  return date.toISOString().slice(0, 10);
}

function findNearest(section, day) {
  const distance = (link) => Math.abs(Date.parse(getDate(link)) - Date.parse(day));
  return getDays(section).reduce((best, link) => (distance(link) < distance(best) ? link : best));
}

function openYear(section, isBack, day) {
  const url = isBack ? section.dataset.previousYear : section.dataset.nextYear;
  if (day.slice(0, 4) === section.dataset.year) findNearest(section, day).focus();
  else if (url) location.assign(`${url}#${day}`);
}

function openNext(section, isBack, day) {
  if (section.dataset.year) return openYear(section, isBack, day);
  const link = section.querySelector(isBack ? "[data-earlier]" : "[data-later]");
  if (!link) return undefined;
  dayToFocus = day;
  return link.click();
}

function moveFocus(section, link, key) {
  const week = getDays(link.closest("tr"));
  if (key === "Escape") return document.getElementById("main").focus();
  if (key === "Home") return week[0].focus();
  if (key === "End") return week[week.length - 1].focus();
  const target = addStep(getDate(link), key);
  const found = getDays(section).find((other) => getDate(other) === target);
  if (found) return found.focus();
  if (target.slice(0, 7) === getDate(link).slice(0, 7)) return undefined;
  return openNext(section, (DAY_STEPS[key] ?? MONTH_STEPS[key]) < 0, target);
}

/* A year is one stop for the Tab key, at the day that was focused last; in a month every day is a stop. */
function initTabStop(section, signal) {
  const links = getDays(section);
  if (links.length <= 31) return;
  const setStop = (chosen) => links.forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
  setStop(section.querySelector(".today") ?? links.findLast((link) => link.matches(".has-entries")) ?? links[0]);
  section.addEventListener("focusin", ({ target }) => target.matches("a.cell") && setStop(target), { signal });
}

export default function attach(section, signal) {
  section.addEventListener("keydown", (event) => {
    const link = event.target.closest("a.cell");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || !KEYS.includes(event.key)) return;
    event.preventDefault();
    moveFocus(section, link, event.key);
  }, { signal });
  initTabStop(section, signal);
  const day = dayToFocus ?? location.hash.match(/^#(\d{4}-\d\d-\d\d)$/)?.[1];
  if (day && getDays(section).length) findNearest(section, day).focus();
  dayToFocus = null;
}
