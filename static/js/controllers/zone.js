/* Fills in where the browser says the person lives, when the form asks and knows nothing better. */
export default function attach(form) {
  const field = form.elements.namedItem("time_zone");
  if (field && !field.value) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
