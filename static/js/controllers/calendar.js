/* Arrows walk the days, Home and End the week, Page Up and Page Down the months, of a month or a whole year; Enter
opens, as any link does; Escape goes to the page. Beyond a month lies the next one, beyond a year the page of the very
next, whose address ends in the day to go to. */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MONTHS = { PageUp: -1, PageDown: 1 };
const KEYS = [...Object.keys(STEPS), ...Object.keys(MONTHS), "Home", "End", "Escape"];
let wanted = null;

const days = (table) => [...table.querySelectorAll("a[data-date]")];

function dated(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date;
}

function moved(iso, key) {
  const [year, month, day] = iso.split("-").map(Number);
  const last = MONTHS[key] ? dated(year, month + MONTHS[key], 0).getUTCDate() : 0;
  const date = last ? dated(year, month - 1 + MONTHS[key], Math.min(day, last)) : dated(year, month - 1, day + STEPS[key]);
  return date.toISOString().slice(0, 10);
}

function nearest(table, day) {
  const away = (link) => Math.abs(Date.parse(link.dataset.date) - Date.parse(day));
  return days(table).reduce((best, link) => (away(link) < away(best) ? link : best));
}

function turnYear(section, isBack, day) {
  const year = isBack ? section.dataset.before : section.dataset.after;
  if (day.slice(0, 4) === section.dataset.year) nearest(section, day).focus();
  else if (year) location.assign(`${year}#${day}`);
}

function turn(section, isBack, day) {
  if (section.dataset.year) return turnYear(section, isBack, day);
  const link = section.querySelector(isBack ? "[data-earlier]" : "[data-later]");
  if (!link) return undefined;
  wanted = day;
  return link.click();
}

function walk(section, link, key) {
  const row = days(link.closest("tr"));
  if (key === "Escape") return document.getElementById("main").focus();
  if (key === "Home") return row[0].focus();
  if (key === "End") return row[row.length - 1].focus();
  const target = moved(link.dataset.date, key);
  const found = days(section).find((other) => other.dataset.date === target);
  if (found) return found.focus();
  if (target.slice(0, 7) === link.dataset.date.slice(0, 7)) return undefined;
  return turn(section, (STEPS[key] ?? MONTHS[key]) < 0, target);
}

/* A year has one stop for the Tab key, where one was last; a month is short enough to be gone through. */
function rove(section, signal) {
  const links = days(section);
  if (links.length <= 31) return;
  const stop = (chosen) => links.forEach((link) => link.setAttribute("tabindex", link === chosen ? "0" : "-1"));
  stop(section.querySelector(".today") ?? links.findLast((link) => link.matches(".written")) ?? links[0]);
  section.addEventListener("focusin", ({ target }) => target.matches("a[data-date]") && stop(target), { signal });
}

export default function attach(section, signal) {
  section.addEventListener("keydown", (event) => {
    const link = event.target.closest("a[data-date]");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || !KEYS.includes(event.key)) return;
    event.preventDefault();
    walk(section, link, event.key);
  }, { signal });
  rove(section, signal);
  const day = wanted ?? location.hash.match(/^#(\d{4}-\d\d-\d\d)$/)?.[1];
  if (day && days(section).length) nearest(section, day).focus();
  wanted = null;
}
