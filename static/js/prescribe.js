// Notes and medicines save themselves; another row is a copy of the empty one.

import "./drug_search.js";
import { parse } from "./fragment.js";
import "./medicine.js";
import { reload } from "./reload.js";

const form = document.querySelector("[data-autosave]");
const state = form.querySelector("[data-save-state]");
const rows = form.querySelector("[data-medicines]");
const total = form.querySelector("[name=lines-TOTAL_FORMS]");
const PAUSE_MS = 1500;
const RETRY_MS = 4000;
let timer;
let leaving = false;

async function save() {
  state.textContent = form.dataset.unsaved;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-Requested-With": "fetch" },
      body: new FormData(form),
    });
    if (answer.status >= 500 || answer.redirected) throw new Error(String(answer.status));
    if (answer.status === 409) reload();
    state.textContent = answer.status === 200 ? form.dataset.saved : form.dataset.invalid;
    if (answer.ok) showRules(parse(await answer.text()));
  } catch {
    if (!leaving) timer = setTimeout(save, RETRY_MS);
  }
}

// What the rules say of what was just saved; a reason that is being typed is never taken away.
function showRules(part) {
  const rules = form.querySelector("[data-rules]");
  const fresh = part.querySelector("[data-rules]");
  if (rules && fresh && !rules.contains(document.activeElement)) rules.replaceWith(fresh);
}

form.addEventListener("input", () => {
  state.textContent = form.dataset.unsaved;
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE_MS);
});
form.addEventListener("submit", () => {
  leaving = true;
  clearTimeout(timer);
});
addEventListener("pageshow", () => { leaving = false; });

form.querySelector("[name=more]")?.addEventListener("click", (event) => {
  event.preventDefault();
  const index = Number(total.value);
  const row = form.querySelector("[data-medicine]").content.cloneNode(true);
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace("__prefix__", index);
    field.id = field.id.replace("__prefix__", index);
  }
  total.value = index + 1;
  rows.append(row);
  rows.lastElementChild.querySelector("input").focus();
});
