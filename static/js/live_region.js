/* Announces a message to screen readers once, without moving the focus. */
export function announce(message) {
  document.getElementById("live-region").textContent = message;
}
