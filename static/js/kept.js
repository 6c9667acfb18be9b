// What was typed into a form is in it again, in this window, when its session had ended or another language was chosen.

import { retell } from "./typed.js";

const form = document.querySelector("[data-kept]");
const place = `kept ${form.dataset.kept} ${location.pathname}`; // whose, and which
const isBox = (field) => field.matches("[type=checkbox], [type=radio]");
const fields = () => [...form.elements].filter((field) => field.name && !field.matches("[type=hidden], [type=file], button"));
const typed = () => JSON.stringify(fields().map((field) => [isBox(field) ? field.checked : field.value, field.selectedOptions?.[0]?.text]));

function fill(kept) {
  for (const [index, [value, label]] of kept.entries()) {
    const field = fields()[index];
    if (isBox(field)) field.checked = value;
    else {
      // A list that depends on another one does not have it yet.
      if (field.options && ![...field.options].some((one) => one.value === value)) field.add(new Option(label, value));
      field.value = value;
    }
  }
  retell(form);
}

const { pathname: before } = new URL(document.referrer || location.href);
const kept = sessionStorage.getItem(place);
sessionStorage.removeItem(place);
const untouched = typed();
if (kept && (before === location.pathname || before.startsWith(form.dataset.keptAfter)) && JSON.parse(kept).length === fields().length) {
  fill(JSON.parse(kept));
  document.querySelector("[data-kept-words]").hidden = before === location.pathname;
}
addEventListener("pagehide", () => { if (typed() !== untouched) sessionStorage.setItem(place, typed()); });
