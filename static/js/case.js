// The case saves itself as it is typed. A colleague who saved meanwhile is not overwritten: the page says so.

import { post } from "./post.js";
import { isHeard, isSignedOut } from "./signed_out.js";
import { retell } from "./typed.js";

const form = document.querySelector("[data-case]");
const state = document.querySelector("[data-save-state]");
const PAUSE_MS = 1200;
const RETRY_MS = 4000;
const REVISIONS = 2e9; // so many that no other page takes the same
let timer; // of what is not on its way yet
let saving = Promise.resolve();
let leaving = false;
let typed = 0; // how often
let saved = 0; // as it was typed then, and nothing of it is wrong

// A page that is left does not hear how the save before went: each says which revision it makes, and which
// the one before made, so that our own is not taken for a colleague's.
function nameRevisions() {
  const { sent_revision: sent, new_revision: made } = form.elements;
  sent.value = made.value;
  made.value = Math.ceil(Math.random() * REVISIONS);
}

async function save() {
  const asTyped = typed;
  timer = null;
  try {
    nameRevisions();
    const answer = await post(form, { Accept: "application/json" });
    if (!(await isHeard(answer)) || answer.redirected) throw new Error(String(answer.status));
    const said = await answer.json();
    if (answer.status === 409) {
      state.textContent = said.message;
      if (said.code === "changed" && !leaving) form.requestSubmit(form.querySelector("[name=save]")); // the answer shows both
      else location.reload();
      return;
    }
    form.elements.revision.value = said.revision;
    const isWhole = Object.keys(said.wrong).length === 0;
    if (isWhole) saved = asTyped;
    if (typed !== asTyped) return; // the next one says it
    state.textContent = isWhole ? form.dataset.saved : form.dataset.incomplete;
    mark(said.wrong);
  } catch {
    state.textContent = isSignedOut() ? "" : form.dataset.offline;
    if (!leaving) later(RETRY_MS);
  }
}

// As the server marks it on a page that is sent by hand.
function mark(wrong) {
  for (const field of form.querySelectorAll(".field")) {
    const control = field.querySelector("[name]");
    const words = wrong[control.name];
    field.querySelector(`#${control.id}_error`)?.remove();
    field.classList.toggle("wrong", Boolean(words));
    control.setAttribute("aria-invalid", Boolean(words));
    if (!words) continue;
    const told = document.createElement("div");
    told.id = `${control.id}_error`;
    told.append(Object.assign(document.createElement("p"), { className: "error", textContent: words }));
    field.append(told);
  }
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(() => { saving = saving.then(save); }, pause);
}

form.addEventListener("input", () => {
  typed += 1;
  state.textContent = form.dataset.unsaved;
  later(PAUSE_MS);
});
// The form goes with the revision that the last save gave it; where all of it is saved, it need not go once more.
form.addEventListener("submit", async (event) => {
  clearTimeout(timer);
  if (leaving) return;
  event.preventDefault();
  leaving = true;
  await saving;
  if (isSignedOut()) await save();
  if (isSignedOut()) { // the form would be lost at the sign-in
    leaving = false;
    later(RETRY_MS);
    return;
  }
  if (typed && saved === typed && event.submitter?.name === "go_on") {
    location.assign(form.dataset.onwards);
    return;
  }
  nameRevisions();
  setTimeout(() => form.requestSubmit(event.submitter)); // not while this event is still being told
});
addEventListener("pagehide", () => { if (timer && !leaving) save(); }); // closed in the pause
document.addEventListener("visibilitychange", () => { if (document.hidden && timer && !leaving) later(0); }); // a phone may end it
addEventListener("pageshow", () => { leaving = false; });
retell(form);
