// A form that says data-in-place is answered with what it has changed: the page around it stays.

import { parse } from "./fragment.js";

async function send(form) {
  const body = new URLSearchParams(new FormData(form));
  const headers = { "X-Requested-With": "fetch" };
  const answer = await fetch(form.action, { method: "POST", headers, body, keepalive: true }); // whoever goes on has noted it
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  for (const newer of parse(await answer.text()).querySelectorAll("[data-swap]")) {
    document.querySelector(`[data-swap="${newer.dataset.swap}"]`).replaceChildren(...newer.childNodes);
  }
  document.querySelector('[data-swap="told"] .notice')?.scrollIntoView({ block: "nearest" });
}

let isSending = false;
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-in-place]")) return;
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  try {
    await send(form);
  } catch {
    form.submit(); // as without this script: the page says what is wrong
  }
  isSending = false;
});
