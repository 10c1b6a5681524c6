/* When the day turns where the person lives, today's page opens the new one, unless something is being written. */
import { field } from "../writing.js";

function today(zone) {
  try {
    return new Intl.DateTimeFormat("en-CA", { timeZone: zone || undefined }).format(new Date());
  } catch {
    return new Intl.DateTimeFormat("en-CA").format(new Date());
  }
}

export default function attach(body, signal) {
  // Where the browser's clock is a day off, nothing turns: only a change seen from here is a midnight.
  const begun = today(body.dataset.zone);
  const turn = () => {
    const { day, zone } = body.dataset;
    if (!("today" in body.dataset) || document.getElementById("unlock").open || today(zone) <= begun || today(zone) <= day) return;
    const busy = [...document.querySelectorAll("form[data-keeps]")].some((form) => form.id !== "composer" || field(form).value);
    const note = document.querySelector("[data-midnight]");
    if (busy) note.hidden = false;
    else location.assign("/");
  };
  const timer = setInterval(turn, 15_000);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", turn, { signal });
}
