// Notes and medicines save themselves; another row is a copy of the empty one.

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
      headers: { Accept: "application/json" },
      body: new FormData(form),
    });
    if (answer.status >= 500 || answer.redirected) throw new Error(String(answer.status));
    if (answer.status === 409) reload();
    state.textContent = answer.status === 204 ? form.dataset.saved : form.dataset.invalid;
  } catch {
    if (!leaving) timer = setTimeout(save, RETRY_MS);
  }
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
