// The room, on both sides: messages come in; another state of the consultation is another page.

import { startChat } from "./chat.js";
import { fetchPart } from "./fragment.js";
import { listen } from "./live.js";
import { reload } from "./reload.js";
import "./forms.js";
import "./upload.js";

const room = document.querySelector("[data-room]");
const section = room.querySelector("[data-chat]");
const catchUp = section ? startChat(section) : () => {};
const shown = room.dataset.state ?? "in_progress";

// The link to the prescription, and an emergency, come without a reload: nobody loses half a sentence.
async function showPrescription() {
  if (!room.querySelector("[data-issued]")) return;
  try {
    const page = await fetchPart(location.pathname);
    for (const name of ["[data-issued]", "[data-emergency]"]) {
      const newer = page.querySelector(name);
      if (newer) room.querySelector(name)?.replaceWith(newer);
    }
  } catch {
    setTimeout(showPrescription, 3000);
  }
}

listen(room.dataset.socket, {
  onMessage(message) {
    const saysState = message.type === "state" || message.type === "hello";
    if (saysState && message.state !== shown) reload();
    else if (message.type === "prescription" || message.type === "emergency") showPrescription();
    else catchUp();
    const place = room.querySelector("[data-issued]");
    if (message.type === "hello" && place && message.issued !== place.dataset.issued) showPrescription();
  },
});
