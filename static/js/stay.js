// A form of the room that says data-stay is sent without leaving the page, so that the call goes on: what came of
// it is put into the page. Other forms, and buttons that say data-leave, lead elsewhere as ever.

import { isInUse, parse } from "./fragment.js";
import { isHeard } from "./signed_out.js";

const room = document.querySelector("[data-room]");
let isSending = false;

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form)); // none of these forms has a file
  if (button?.name) body.append(button.name, button.value);
  // Whatever else is typed is kept first: the answer brings other forms as the server has them.
  const before = Object.assign(new Event("staying"), { form, until: [] });
  document.dispatchEvent(before);
  await Promise.all(before.until);
  const url = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const answer = await fetch(url, { method: "POST", headers: { "X-Requested-With": "stay" }, body });
  if (!(await isHeard(answer))) throw new Error(String(answer.status));
  const page = parse(await answer.text());
  const same = page.querySelector("[data-room]");
  if (same && same.dataset.state === room.dataset.state) show(page, form);
  else location.assign(answer.redirected ? answer.url : location.href); // ended meanwhile, or signed out
}

function show(page, form) {
  const inUse = document.activeElement;
  for (const place of document.querySelectorAll("[data-swap]")) {
    const newer = page.querySelector(`[data-swap="${place.dataset.swap}"]`);
    if (newer && (place.contains(form) || !isInUse(place))) place.replaceChildren(...newer.childNodes);
  }
  document.dispatchEvent(new Event("swapped"));
  if (inUse.isConnected) inUse.focus({ preventScroll: true }); // of a form that was put back
  document.querySelector('[data-swap="told"] .notice, [data-swap] .error')?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("submit", async (event) => {
  const { target: form, submitter: button } = event;
  if (event.defaultPrevented || !form.matches("[data-stay]") || button?.matches("[data-leave]")) return;
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  room.querySelector("[data-unsent]").hidden = true;
  try {
    await send(form, button);
  } catch {
    room.querySelector("[data-unsent]").hidden = false;
    document.dispatchEvent(new Event("notsent"));
  }
  isSending = false;
  delete form.dataset.sent;
  for (const one of form.querySelectorAll("button")) one.removeAttribute("aria-disabled");
});
