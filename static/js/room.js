// The room, on both sides: messages come in; another state of the consultation is another page.

import { startChat } from "./chat.js";
import { fetchPart, isInUse } from "./fragment.js";
import { listen } from "./live.js";
import { reload } from "./reload.js";
import "./forms.js";
import "./stay.js";
import "./upload.js";

const room = document.querySelector("[data-room]");
const section = room.querySelector("[data-chat]");
const chat = section && startChat(section, { isOpen: () => socket.isOpen(), say: (message) => socket.say(message) });
const shown = room.dataset.state ?? "in_progress";

const IN_CALL_MS = 3000; // the longest pause before the socket is tried again: somebody is waiting

// What moves comes without a reload: nobody loses half a sentence. A part in which somebody types stays.
async function renew(...names) {
  const places = names.flatMap((name) => [...room.querySelectorAll(`[data-${name}]`)].map((place) => [name, place]));
  if (!places.length) return;
  try {
    const page = await fetchPart(location.pathname);
    for (const [name, place] of places) {
      const newer = page.querySelector(`[data-${name}]`);
      if (newer && !isInUse(place)) place.replaceWith(newer);
    }
  } catch {
    setTimeout(() => renew(...names), 3000);
  }
}

// Whatever moved before the socket was there, or was not heard of: each part says which one it is.
function renewWhatIsOlder({ issued, parts }) {
  const [emergency, ...counts] = parts.split(".");
  const [instructions, opinion] = [counts.slice(0, 2).join("."), counts.slice(2).join(".")];
  const now = { issued, emergency, instructions, opinion, panels: counts.join(".") };
  const older = Object.keys(now).filter((name) => [...room.querySelectorAll(`[data-${name}]`)].some((place) => place.dataset[name] !== now[name]));
  if (older.includes("instructions") || older.includes("panels")) older.push("vitals"); // were measured again
  if (older.length) renew(...older);
}

// Of two windows the call is in the one that is looked at. Only a doctor's room opens by itself, when the patient comes.
function seen() {
  if (!document.hidden || place.dataset.seat === "doctor") return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

// The call comes when it can; the talk in writing does not wait for it.
const place = room.querySelector("[data-call]");
let call = null;
let isGreeted = false;
if (place) {
  seen().then(() => import("./call/call.js")).then(({ Call }) => {
    call = new Call(place, socket);
    if (isGreeted) call.hello();
  });
}

const socket = listen(`${room.dataset.socket}${section ? "?talk" : ""}`, {
  longestMs: place ? IN_CALL_MS : undefined,
  onMessage(message) {
    if (message.type === "call") {
      call?.hear(message);
      return;
    }
    if (message.type === "hello" || message.type === "resync") {
      if (isGreeted) renew("elsewhere"); // of it no message says how far it is
      isGreeted = true;
      call?.hello();
    }
    const isWhole = message.type === "hello" || message.type === "now";
    const saysState = message.type === "state" || isWhole;
    const saysPhone = message.type === "phone" || isWhole;
    if (saysState && message.state !== shown) reload();
    else if (saysPhone && room.dataset.phone && room.dataset.phone !== String(message.phone)) reload();
    else if (message.type === "prescription") renew("issued");
    else if (message.type === "emergency") renew("emergency");
    else if (message.type === "instruction") renew("instructions", "vitals", "panels");
    else if (message.type === "elsewhere") renew("elsewhere");
    else if (message.type === "opinion") renew("opinion", "panels");
    else if (message.type === "message") chat?.hear(message);
    else if (message.type === "unsent") chat?.postInstead(message.client_id);
    else if (message.type === "resync") chat?.catchUp();
    else if (isWhole) chat?.catchUp(message.message);
    const noted = room.querySelector("[data-may-join]");
    if (saysPhone && noted && noted.dataset.mayJoin !== String(message.phone)) renew("phone-in-call");
    if (isWhole) renewWhatIsOlder(message);
  },
  // Unless something is typed that the server does not have yet.
  onFinal: () => document.dispatchEvent(new Event("shutout", { cancelable: true })) && reload(),
});
document.addEventListener("letin", () => socket.renew());
