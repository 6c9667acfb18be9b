// The waiting room: the place moves by itself; a call reloads the page, rings, and is answered by a form.

import { countDown } from "./countdown.js";
import "./forms.js";
import { listen } from "./live.js";
import { reload } from "./reload.js";
import { allowSound, ring } from "./ring.js";
import { showWait } from "./wait.js";

const room = document.querySelector("[data-waiting]");
const find = (name) => room.querySelector(`[data-${name}]`);
const shown = room.dataset.state;

function show(place) {
  if (!find("ahead")) return;
  const ahead = find("ahead");
  if (ahead.textContent !== String(place.ahead)) {
    ahead.textContent = place.ahead;
    ahead.classList.remove("moved");
    requestAnimationFrame(() => ahead.classList.add("moved"));
  }
  if ("parted" in room.dataset) {
    // The line counts all doctors; how many of them may see this patient, only the server knows.
    if (Number(room.dataset.parted) !== place.doctors) reload();
    find("next").hidden = place.ahead > 0 || find("doctors").textContent === "0";
    return;
  }
  find("next").hidden = place.ahead > 0 || !place.doctors;
  find("doctors").textContent = place.doctors;
  find("nobody").hidden = place.doctors > 0;
  showWait(find("wait"), place);
}

listen(room.dataset.socket, {
  onMessage(message) {
    if (message.type === "place") show(message);
    if (message.type === "token" && message.state !== shown) reload();
    if (message.type === "state" && message.state !== "requested") reload();
    // What moved between the page and the socket, while the socket was away, or unheard.
    if (["hello", "now"].includes(message.type) && (message.token !== shown || message.state !== "requested")) reload();
  },
});

addEventListener("pointerdown", allowSound, { once: true });
if (find("called")) {
  document.title = `● ${room.dataset.calledTitle}`;
  ring(room.dataset.calledTitle);
  setTimeout(() => reload(), Math.max(3000, Date.parse(find("countdown").dataset.countdown) - Date.now() + 6000));
}
countDown();

const notify = find("notify");
if (notify && window.Notification?.permission === "default") {
  notify.hidden = false;
  notify.addEventListener("click", async () => {
    await Notification.requestPermission();
    notify.hidden = true;
  });
}
