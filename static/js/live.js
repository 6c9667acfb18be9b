// One socket per page. It hears; whatever it missed, the page fetches after "hello". Only a room speaks.

import { reload } from "./reload.js";

const FIRST_MS = 5000;
const LONGEST_MS = 10000; // whatever was away: 15 s after it is back, every page is right
const FINAL = new Set([4401, 4404, 4408]); // signed out, not yours, too much: trying again is no use

export function listen(path, { onMessage, onFinal, longestMs = LONGEST_MS }) {
  const note = document.querySelector("[data-connection]");
  let tries = 0;
  let socket;
  let timer;

  function open() {
    clearTimeout(timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}${path}`);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "hello") {
        tries = 0;
        note.hidden = true;
      }
      onMessage(message);
    };
    socket.onclose = (event) => {
      if (FINAL.has(event.code)) {
        (onFinal ?? reload)(event.code);
        return;
      }
      note.hidden = false;
      const longest = Math.min(longestMs, FIRST_MS * 2 ** tries++);
      timer = setTimeout(open, Math.random() * longest); // full jitter: a thousand pages do not come at once
    };
  }

  // The network is gone or another, and the old socket does not know yet.
  function renew() {
    socket.onmessage = socket.onclose = null;
    socket.close();
    note.hidden = false;
    tries = 0;
    open();
  }

  // The browser knows before the socket does. Back from no network, or from sleep: now, not after the pause.
  addEventListener("offline", () => { note.hidden = false; });
  addEventListener("online", renew);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && socket.readyState === WebSocket.CLOSED) renew();
  });
  open();
  return {
    isOpen: () => socket.readyState === WebSocket.OPEN,
    say(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    renew,
  };
}
