/* Opens the page of the new day at midnight in the person's time zone, unless something is being written. */
import { getTextField, isDirty } from "../editor_state.js";

const CHECK_MS = 15_000;

function getToday(timeZone) {
  try {
    return new Intl.DateTimeFormat("en-CA", { timeZone: timeZone || undefined }).format(new Date());
  } catch {
    return new Intl.DateTimeFormat("en-CA").format(new Date());
  }
}

export default function attach(body, signal) {
  // Only a change while the page is open counts, so a browser clock that is a day off does nothing.
  const startDay = getToday(body.dataset.timeZone);
  const isNewDay = () => {
    const { day, timeZone } = body.dataset;
    const today = getToday(timeZone);
    return "today" in body.dataset && today > startDay && today > day;
  };
  const isWithoutDraft = (form) => form.matches("[data-controller~=leave_guard]");
  const isUnused = (form) =>
    form.id === "composer" ? !getTextField(form).value : isWithoutDraft(form) && !isDirty(form);
  const check = () => {
    if (document.getElementById("unlock").open || !isNewDay()) return;
    const forms = [...document.querySelectorAll("form[data-preserve]")];
    if (forms.every(isUnused)) location.assign("/");
    else document.querySelector("[data-midnight]").hidden = false;
  };
  const timer = setInterval(check, CHECK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", check, { signal });
}
