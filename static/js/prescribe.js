// Notes and medicines save themselves; another row is a copy of the empty one.

import "./drug_search.js";
import { parse } from "./fragment.js";
import "./medicine.js";
import { post } from "./post.js";
import { reload } from "./reload.js";
import { isHeard, isSignedOut } from "./signed_out.js";
import { retell } from "./typed.js";

const PAUSE_MS = 1500;
const RETRY_MS = 4000;
let timer; // of what is not on its way yet
let saving = Promise.resolve(); // the last one on its way
let leaving = false;
let typed = 0; // how often
let kept = 0; // as it was typed then, whole
let before = null; // the form, while another one is on its way
let isShutOut = false; // the socket has ended; the page stays for what is typed

const form = () => document.querySelector("[data-autosave]");
const hasRows = (one) => Boolean(one.querySelector("[data-medicines]"));
const say = (what) => { form().querySelector("[data-save-state]").textContent = form().dataset[what]; };

function save() {
  saving = send();
  return saving;
}

async function send() {
  const sent = form();
  if (!sent) return;
  const asTyped = typed;
  say("unsaved");
  clearTimeout(timer);
  timer = null;
  try {
    const answer = await post(sent, { "X-Requested-With": "fetch" });
    if (!(await isHeard(answer)) || answer.redirected) throw new Error(String(answer.status));
    if (answer.status === 404 || answer.status === 409) return reload(); // another's now, or over
    if (isShutOut) document.dispatchEvent(new Event("letin"));
    isShutOut = false;
    if (answer.status === 200) kept = asTyped;
    if (sent !== form()) return; // another has come in its place
    if (!answer.ok) return;
    if (typed === asTyped) say(answer.status === 200 ? "saved" : "invalid"); // nothing was typed since
    showRules(parse(await answer.text()));
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
document.addEventListener("submit", (event) => {
  if (event.target !== form() || !isSignedOut()) return;
  event.preventDefault(); // the form would be lost at the sign-in
  event.stopImmediatePropagation();
}, true);
document.addEventListener("staying", ({ form: other, until }) => {
  before = other === form() ? null : form();
  if (!before) return; // brings it
  until.push((timer ? save() : saving).then(() => { if (timer) throw new Error("not kept"); }));
});
document.addEventListener("notsent", () => { if (form() && typed !== kept && !timer) save(); }); // it would have brought it
// The answer to another form has of this one what the server has; what is not whole yet only stands here.
document.addEventListener("swapped", () => {
  const newer = form();
  const isOfOneKind = newer && before && hasRows(newer) === hasRows(before);
  if (!isOfOneKind || newer === before || typed === kept) return;
  newer.replaceWith(before);
  showRules(newer);
});
document.addEventListener("shutout", (event) => {
  if (!form() || typed === kept) return;
  event.preventDefault();
  isShutOut = true;
  save();
});
const saveNow = () => { if (timer && !leaving) save(); }; // closed in the pause; a phone may end what is hidden
addEventListener("pagehide", saveNow);
document.addEventListener("visibilitychange", () => { if (document.hidden) saveNow(); });
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
