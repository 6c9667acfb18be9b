// Whose session ends in the middle of a form loses nothing: the page says so, and goes on once they have
// signed in again, in another window.

import { parse } from "./fragment.js";

const notice = document.querySelector("[data-signed-out]"); // shown while it is so

export const isSignedOut = () => Boolean(notice && !notice.hidden);

// Whether an answer is to what was sent: not the sign-in, nor the refusal of an old key, nor a fault.
export async function isHeard(answer) {
  if (answer.status === 403) await renewKey();
  else if (notice) notice.hidden = answer.status !== 401 && !answer.url.startsWith(notice.querySelector("a").href.split("?")[0]);
  return answer.status !== 403 && answer.status < 500 && !isSignedOut();
}

// Whoever has signed in again has other keys for forms.
async function renewKey() {
  const answer = await fetch(location.href);
  const key = !answer.redirected && parse(await answer.text()).querySelector("[name=csrfmiddlewaretoken]");
  if (key) for (const old of document.querySelectorAll("[name=csrfmiddlewaretoken]")) old.value = key.value;
}
