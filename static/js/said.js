/* Says something to those who hear the page, once, without moving them. */
export function announce(words) {
  document.getElementById("said").textContent = words;
}
