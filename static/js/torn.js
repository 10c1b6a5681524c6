/* Two texts in one form: what is written here beside what was written elsewhere, until it is chosen what goes on.
What is let go of is held by the form, and comes back when it is asked for. */
import { announce } from "./said.js";
import { confirmed, draftRevision, field, say, setText, writing } from "./writing.js";

const place = (form) => form.querySelector("[data-conflict]");
const other = (form) => place(form).querySelector("[data-other]");
const joined = (...texts) => texts.filter((text) => text.trim()).join("\n\n");

/* What goes on of the two texts, and what does not. */
const CHOICES = {
  both: (here, elsewhere) => ({ text: joined(here, elsewhere), said: "Both are in the box, one below the other." }),
  here: (here, elsewhere) => ({ text: here, letGo: elsewhere, said: "What was written elsewhere was let go." }),
  elsewhere: (here, elsewhere) => ({ text: elsewhere, letGo: here, said: "What was written here was let go." }),
};

/* The box is called by what it holds: beside another text, its name is in sight. */
function lay(form, torn) {
  form.toggleAttribute("data-torn", torn);
  place(form).hidden = !torn;
  const [label] = field(form).labels;
  if (!label.dataset.beside) return;
  label.textContent = torn ? label.dataset.beside : label.dataset.alone;
  label.classList.toggle("visually-hidden", !torn);
}

export function tear(form, { revision, text, saved_at: savedAt }) {
  writing(form).conflict = true;
  place(form).dataset.revision = revision;
  other(form).textContent = text;
  place(form).querySelector("[data-when]").textContent = savedAt ? `, saved ${savedAt}` : "";
  lay(form, true);
  // The words above the texts are spoken; these only stand where a save is looked for.
  say(form, "Not saved: two texts", { amiss: true, spoken: false });
}

function offer(form, letGo, said) {
  const line = form.querySelector("[data-let-go]");
  writing(form).letGo = letGo;
  line.hidden = !letGo;
  if (said) line.querySelector("span").textContent = said;
}

/* Answers what is to be said of it. */
export function choose(form, name) {
  const elsewhere = other(form).textContent;
  const { text, letGo = "", said } = CHOICES[name](field(form).value, elsewhere);
  draftRevision(form).value = place(form).dataset.revision ?? draftRevision(form).value;
  confirmed(form, elsewhere);
  other(form).textContent = "";
  Object.assign(writing(form), { conflict: false, failed: false });
  lay(form, false);
  say(form, "");
  // What was let go of before, in this form, is still to be had.
  offer(form, joined(writing(form).letGo, letGo), letGo.trim() && said);
  setText(form, text);
  return said;
}

function bringBack(form) {
  const { letGo } = writing(form);
  offer(form, "");
  setText(form, joined(field(form).value, letGo));
  return "It is back, below the rest.";
}

export function listen(form, signal) {
  const press = (button, act) => button.addEventListener("click", () => {
    announce(act());
    field(form).focus();
  }, { signal });
  for (const button of form.querySelectorAll("[data-choose]")) {
    press(button, () => choose(form, button.dataset.choose));
  }
  press(form.querySelector("[data-back]"), () => bringBack(form));
  writing(form).conflict ||= !place(form).hidden;
}
