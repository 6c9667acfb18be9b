// The room, on both sides: messages come in; another state of the consultation is another page.

import { startChat } from "./chat.js";
import "./forms.js";
import { listen } from "./live.js";
import "./upload.js";

const room = document.querySelector("[data-room]");
const section = room.querySelector("[data-chat]");
const catchUp = section ? startChat(section) : () => {};
const isDoctor = "doctor" in room.dataset;
const shown = room.dataset.state ?? "in_progress";

listen(room.dataset.socket, {
  onMessage(message) {
    const moved = (message.type === "state" || message.type === "hello") && message.state !== shown;
    if (moved) location.reload();
    else if (message.type === "prescription") {
      if (!isDoctor && !room.querySelector(".prescription-ready")) location.reload();
    } else catchUp();
  },
});
