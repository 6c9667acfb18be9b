// The doctor's desk: the lines are fetched anew when one changed; two keys for the whole day.

import { countDown } from "./countdown.js";
import { fetchPart } from "./fragment.js";
import { listen } from "./live.js";

const desk = document.querySelector("[data-desk]");
const place = desk.querySelector("[data-lines]");
const title = document.title;
let running = false;
let again = false;

async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    const before = place.querySelector("[data-held]")?.dataset.held;
    const focused = document.activeElement?.closest?.("[data-lines] [data-open]") !== null && place.contains(document.activeElement);
    const [lines, asked] = await Promise.all([fetchPart(desk.dataset.part), fetchPart(desk.dataset.askedPart)]);
    place.replaceChildren(...lines.childNodes);
    desk.querySelector("[data-asked]").replaceChildren(...asked.childNodes);
    countDown(place);
    const held = place.querySelector("[data-held]")?.dataset.held;
    if (before === "called" && held === "serving") place.querySelector("[data-open]").click();
    else if (focused) place.querySelector("[data-open]")?.focus();
    const waiting = place.querySelectorAll("tbody tr").length;
    document.title = waiting ? `(${waiting}) ${title}` : title;
  } catch {
    setTimeout(refresh, 3000);
  }
  running = false;
  if (again) {
    again = false;
    refresh();
  }
}

listen(desk.dataset.socket, { onMessage: refresh });
setInterval(refresh, 30000); // waited minutes
countDown();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) return;
  if (event.key === "n") {
    const button = place.querySelector("[data-call-next]:not([data-empty])") ?? place.querySelector("[data-call-next]");
    button?.click();
  }
  if (event.key === "o") place.querySelector("[data-open]")?.click();
});
