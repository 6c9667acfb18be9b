// The health centre's pages: every waiting patient's place moves by itself; a call rings on each of them.

import { countDown } from "./countdown.js";
import { fetchPart } from "./fragment.js";
import { listen } from "./live.js";
import { reload } from "./reload.js";
import { ring } from "./ring.js";
import "./forms.js";

const page = document.querySelector("[data-centre]");
const part = page.dataset.part ?? page.dataset.chips;
const box = page.querySelector("[data-day]");
const title = document.title;
const places = new Map(); // what was last heard of each token
const rung = new Set([...box.querySelectorAll("[data-called]")].map((chip) => chip.dataset.called));
let running = false;
let again = false;

function show(place) {
  for (const chip of page.querySelectorAll(`[data-chip="${place.token}"]`)) {
    const find = (name) => chip.querySelector(`[data-${name}]`);
    if (find("place")) find("place").hidden = false;
    find("ahead").textContent = place.ahead;
    if (find("nobody")) find("nobody").hidden = place.doctors > 0;
    find("wait").hidden = place.low === null;
    find("low").textContent = place.low;
    find("high").textContent = place.high;
  }
}

function announce() {
  const called = [...box.querySelectorAll("[data-called]")];
  document.title = called.length ? `● ${page.dataset.calledTitle}` : title;
  for (const { dataset } of called) {
    if (!rung.has(dataset.called)) ring(page.dataset.calledTitle);
    rung.add(dataset.called);
  }
  for (const token of rung) if (!called.some(({ dataset }) => dataset.called === token)) rung.delete(token);
}

async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    box.replaceChildren(...(await fetchPart(part)).childNodes);
    countDown(box);
    for (const place of places.values()) show(place);
    announce();
  } catch {
    setTimeout(refresh, 3000);
  }
  running = false;
  if (again) {
    again = false;
    refresh();
  }
}

listen("/ws/centre/", {
  onMessage(message) {
    if (message.type === "place") {
      places.set(message.token, message);
      show(message);
    } else refresh();
  },
});
// The patient's own waiting page turns when the doctor calls, comes in or returns the case.
if ("visit" in page.dataset) {
  listen(page.dataset.socket, {
    onMessage(message) {
      const isWhole = message.type === "hello" || message.type === "now";
      const isOther = (isWhole || message.type === "state") && message.state !== page.dataset.state;
      const isCalled = (isWhole ? message.token : message.type === "token" && message.state) || page.dataset.token;
      if (isOther || isCalled !== page.dataset.token || message.type === "instruction") reload();
    },
  });
}
if (!page.dataset.part) refresh();
countDown(page);
announce();
