// The waiting page of one patient at a health centre: when the doctor calls or asks for something, the part
// that says so comes anew. The page stays, and its sockets with it.

import { countDown } from "./countdown.js";
import { fetchPart } from "./fragment.js";
import { listen } from "./live.js";
import { isLeaving, reload } from "./reload.js";

const RETRY_MS = 3000;

export function followTurn(page, announce) {
  let turning = Promise.resolve(); // one after the other: the newest is shown last
  const turn = () => { turning = turning.then(renew); };

  async function renew() {
    if (isLeaving()) return;
    try {
      const newer = (await fetchPart(location.pathname)).querySelector("[data-turn]");
      if (!newer) {
        reload(); // it went on or ended meanwhile
        return;
      }
      page.querySelector("[data-turn]").replaceWith(newer);
      page.dataset.token = newer.dataset.turn;
      countDown(newer);
      announce();
    } catch {
      setTimeout(turn, RETRY_MS);
    }
  }

  listen(page.dataset.socket, {
    onMessage(message) {
      const isWhole = message.type === "hello" || message.type === "now";
      const isOther = (isWhole || message.type === "state") && message.state !== page.dataset.state;
      const token = (isWhole ? message.token : message.type === "token" && message.state) || page.dataset.token;
      if (isOther) reload(); // another page
      else if (token !== page.dataset.token || message.type === "instruction") turn();
    },
  });
}
