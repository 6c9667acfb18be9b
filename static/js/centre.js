// The health centre's pages: every waiting patient's place moves by itself; a call rings on each of them.

import { countDown } from "./countdown.js";
import { fetchPart } from "./fragment.js";
import { listen } from "./live.js";
import { ring } from "./ring.js";
import { followTurn } from "./turn.js";
import { showWait } from "./wait.js";
import "./forms.js";

const page = document.querySelector("[data-centre]");
const box = page.querySelector("[data-day]");
const title = page.dataset.title ?? document.title;
const places = new Map(); // what was last heard of each token
const calledIn = (place) => [...place.querySelectorAll("[data-called]")].map((one) => one.dataset.called);
const rung = new Set("part" in page.dataset ? calledIn(box) : []); // another page rings for whoever is called when it comes
const shown = () => box.querySelector("[data-news]").dataset.news;
let told = shown();
let running = false;

function show(place) {
  for (const chip of page.querySelectorAll(`[data-chip="${place.token}"]`)) {
    const find = (name) => chip.querySelector(`[data-${name}]`);
    if (find("place")) find("place").hidden = false;
    find("ahead").textContent = place.ahead;
    if (find("nobody")) find("nobody").hidden = place.doctors > 0;
    showWait(find("wait"), place);
  }
}

function announce() {
  const called = calledIn(page);
  document.title = called.length ? `● ${page.dataset.calledTitle}` : title;
  for (const token of called) {
    if (!rung.has(token)) ring(page.dataset.calledTitle);
    rung.add(token);
  }
  for (const token of rung) if (!called.includes(token)) rung.delete(token);
}

// One at a time, and once more only if something else was told meanwhile.
async function refresh() {
  if (running) return;
  running = true;
  let asked;
  try {
    do {
      asked = told;
      box.replaceChildren(...(await fetchPart(page.dataset.part ?? page.dataset.others)).childNodes);
      countDown(box);
      for (const place of places.values()) show(place);
      announce();
    } while (told !== asked && told !== shown());
  } catch {
    setTimeout(refresh, 3000);
  }
  running = false;
}

listen("/ws/centre/", {
  onMessage(message) {
    if (message.type === "place") {
      places.set(message.token, message);
      show(message);
    } else if (message.news) {
      // The case that this page is about shows its own changes.
      told = message.news.filter((one) => !one.startsWith(`${page.dataset.here}.`)).join(" ");
      if (told !== shown()) refresh();
    }
  },
});
if ("visit" in page.dataset) followTurn(page, announce);
countDown(page);
announce();
