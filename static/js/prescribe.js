// Notes and medicines save themselves; another row is a copy of the empty one.

import "./drug_search.js";
import { parse } from "./fragment.js";
import "./medicine.js";
import { post } from "./post.js";
import { reload } from "./reload.js";
import { retell } from "./typed.js";

const PAUSE_MS = 1500;
const RETRY_MS = 4000;
let timer; // of what is not on its way yet
let leaving = false;
let typed = 0; // how often

const form = () => document.querySelector("[data-autosave]");
const say = (what) => { form().querySelector("[data-save-state]").textContent = form().dataset[what]; };

async function save() {
  const saved = form();
  if (!saved) return;
  const asTyped = typed;
  say("unsaved");
  clearTimeout(timer);
  timer = null;
  try {
    const answer = await post(saved, { "X-Requested-With": "fetch" });
    if (answer.status >= 500 || answer.redirected) throw new Error(String(answer.status));
    if (answer.status === 409) reload();
    if (saved !== form()) return; // another has come in its place
    if (typed === asTyped) say(answer.status === 200 ? "saved" : "invalid"); // nothing was typed since
    if (answer.ok) showRules(parse(await answer.text()));
  } catch {
    if (!leaving) timer = setTimeout(save, RETRY_MS);
  }
}

// What the rules say of what was just saved; a reason that is being typed is never taken away.
function showRules(part) {
  const rules = form().querySelector("[data-rules]");
  const fresh = part.querySelector("[data-rules]");
  if (rules && fresh && !rules.contains(document.activeElement)) rules.replaceWith(fresh);
}

document.addEventListener("input", (event) => {
  if (!event.target.closest("[data-autosave]")) return;
  typed += 1;
  say("unsaved");
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE_MS);
});
document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  leaving = !event.target.matches("[data-stay]") || event.submitter?.matches("[data-leave]");
  clearTimeout(timer);
  timer = null;
});
addEventListener("pagehide", () => { if (timer && !leaving) save(); }); // closed in the pause
addEventListener("pageshow", () => { leaving = false; });

document.addEventListener("click", (event) => {
  if (!event.target.matches?.("[data-autosave] [name=more]")) return;
  event.preventDefault();
  const total = form().querySelector("[name=lines-TOTAL_FORMS]");
  const rows = form().querySelector("[data-medicines]");
  const index = Number(total.value);
  const row = form().querySelector("[data-medicine]").content.cloneNode(true);
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace("__prefix__", index);
    field.id = field.id.replace("__prefix__", index);
  }
  total.value = index + 1;
  rows.append(row);
  rows.lastElementChild.querySelector("input").focus();
});
if (form()) retell(form());
