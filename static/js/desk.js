// The doctor's desk: its lines come over the socket, its own part is fetched when it is another; two keys for the whole day.

import { countDown } from "./countdown.js";
import { fetchPart, parse } from "./fragment.js";
import { listen } from "./live.js";
import { isLeaving, reload } from "./reload.js";

const desk = document.querySelector("[data-desk]");
const title = document.title;
const skew = Date.now() - Date.parse(desk.dataset.now); // of this computer's clock
const own = () => desk.querySelector("[data-own]");
const held = () => own().querySelector("[data-held]")?.dataset.held;
const open = () => own().querySelector("[data-open]");
let running = false;
let again = false;
let isCalling = false;

async function refresh() {
  if (isLeaving()) return; // what was just pressed shows on the next page
  if (running || isCalling) {
    again = true;
    return;
  }
  running = true;
  try {
    show((await fetchPart(desk.dataset.ownPart)).querySelector("[data-own]"));
  } catch {
    setTimeout(refresh, 3000);
  }
  running = false;
  catchUp();
}

function catchUp() {
  if (!again) return;
  again = false;
  refresh();
}

function show(newer) {
  const before = held();
  const isInUse = open() !== null && document.activeElement === open();
  own().replaceWith(newer);
  countDown(newer);
  for (const form of desk.querySelectorAll("[data-call]")) form.hidden = Boolean(held());
  if (before === "called" && held() === "serving") open().click();
  else if (isInUse) open()?.focus();
}

// Whom the call brought, or why it brought nobody, comes into the page: the socket stays, and so does the line.
async function call(form) {
  if (isCalling) return;
  isCalling = true;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", headers: { "X-Requested-With": "fetch" }, body });
    if (answer.redirected) return location.assign(answer.url); // signed out
    if (!answer.ok) throw new Error(String(answer.status));
    const part = parse(await answer.text());
    const told = part.querySelector("[data-swap=told]");
    document.querySelector("[data-swap=told]").replaceChildren(...told.childNodes);
    const newer = part.querySelector("[data-own]");
    if (newer) show(newer);
  } catch {
    reload(); // whether somebody was called, the page says
  } finally {
    isCalling = false;
  }
  catchUp();
}

// The order, and those rows that this page does not show yet.
function showLine({ clinic, order, rows, counts, present, others_first: othersFirst }) {
  const line = desk.querySelector(`[data-line="${clinic}"]`);
  if (!line) return;
  const fresh = parse(`<table>${rows}</table>`).querySelectorAll("tr");
  const known = new Map([...line.querySelectorAll("tbody tr"), ...fresh].map((row) => [Number(row.dataset.token), row]));
  if (!order.every((token) => known.has(token))) return reload(); // something was lost on the way
  line.querySelector("tbody").replaceChildren(...order.map((token) => known.get(token)));
  line.querySelector("[data-counts]").textContent = counts;
  line.querySelector("[data-call-next]")?.toggleAttribute("data-empty", !present || othersFirst);
  line.querySelector("[data-others-first]").hidden = !othersFirst;
  line.querySelector("table").hidden = !order.length;
  line.querySelector(".empty").hidden = Boolean(order.length);
  countMinutes();
}

function countMinutes() {
  const waited = [...desk.querySelectorAll("[data-since]")];
  for (const cell of waited) {
    const minutes = Math.max(0, Math.floor((Date.now() - skew - Date.parse(cell.dataset.since)) / 60000));
    cell.textContent = cell.textContent.replace(/\d+/, minutes);
  }
  document.title = waited.length ? `(${waited.length}) ${title}` : title;
}

// The page's own call tells it of itself what the answer shows already, or is about to.
const isOwnCall = ({ state }) => state === "called" && (isCalling || held() === "called");

listen(desk.dataset.socket, {
  onMessage(message) {
    if (message.type === "line") showLine(message);
    else if (message.duties !== undefined && message.duties !== desk.dataset.duties) reload();
    else if (message.own === undefined ? !isOwnCall(message) : message.own !== own().dataset.own) {
      if (message.state === "serving" && held() === "called") open().click();
      else refresh();
    }
  },
});
setInterval(countMinutes, 30000);
countMinutes();
countDown();

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-call]")) return;
  event.preventDefault();
  call(event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "n") {
    const button = desk.querySelector("[data-call-next]:not([data-empty])") ?? desk.querySelector("[data-call-next]");
    if (!button?.form.hidden) button?.click();
  }
  if (event.key === "o") open()?.click();
});
