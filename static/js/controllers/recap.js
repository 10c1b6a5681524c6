/* A finished day in short, under the calendar, for who rests on it with the keyboard; a passing pointer asks for
nothing, since the model may have to read that day first. */
const REST = 600;

export default function attach(place, signal) {
  let later;
  const asks = (day) => {
    const values = { owner: document.body.dataset.owner };
    window.htmx?.ajax("POST", `/d/${day}/recap/`, { source: place, target: place, swap: "innerHTML", values });
  };
  const rest = ({ target }) => {
    clearTimeout(later);
    const day = target.closest?.("a.written[data-date]");
    if (day && day.matches(":focus-visible")) later = setTimeout(asks, REST, day.dataset.date);
  };
  document.addEventListener("focusin", rest, { signal });
  document.addEventListener("focusout", () => clearTimeout(later), { signal });
  signal.addEventListener("abort", () => clearTimeout(later));
}
