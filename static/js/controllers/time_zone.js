/* Fills in the browser's time zone in a form that asks for one and has none. */
export default function attach(form) {
  const field = form.elements.namedItem("time_zone");
  if (field && !field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
