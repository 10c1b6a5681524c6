/* The bar that offers to undo, for ten seconds. */
const SECONDS = 10;

export default function attach(bar, signal) {
  const timer = setTimeout(() => {
    if (bar.contains(document.activeElement)) document.getElementById("main").focus({ preventScroll: true });
    bar.remove();
  }, SECONDS * 1000);
  bar.querySelector("button").focus({ preventScroll: true });
  signal.addEventListener("abort", () => clearTimeout(timer));
}
