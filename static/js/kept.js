// What was typed into a form is in it again, in this window, when its session had ended or another language was chosen.

import { isBox, retell } from "./typed.js";

const words = document.querySelector("[data-kept]");
const form = words.closest("form");
const place = `kept ${words.dataset.kept} ${location.pathname}`; // whose, and which
const fields = () => [...form.elements].filter((field) => field.name && !field.matches("[type=hidden], [type=file], button"));
const typed = () => JSON.stringify(fields().map((field) => [isBox(field) ? field.checked : field.value, field.selectedOptions?.[0]?.text]));

function fill(kept) {
  for (const [index, field] of fields().entries()) {
    const [value, label] = kept[index];
    if (isBox(field)) field.checked = value;
    else {
      // A list that depends on another one does not have it yet.
      if (field.options && ![...field.options].some((one) => one.value === value)) field.add(new Option(label, value));
      field.value = value;
    }
  }
  retell(form);
}

const untouched = typed();
const kept = JSON.parse(sessionStorage.getItem(place));
sessionStorage.removeItem(place);
const { pathname: before } = new URL(document.referrer || location.href);
const isBack = before.startsWith(words.dataset.keptAfter); // from signing in
if (kept?.length === fields().length && (isBack || before === location.pathname)) {
  fill(kept);
  words.hidden = !isBack;
}
addEventListener("pagehide", () => { if (typed() !== untouched) sessionStorage.setItem(place, typed()); });
