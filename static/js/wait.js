// A wait in words, as templates/queue/_wait.html writes it: minutes, or half hours when it is long (queues/wait.py).

const LONG = 120; // minutes
const inHours = (halves) => `${Math.floor(halves / 2) || ""}${halves % 2 ? "½" : ""}`;

export function showWait(place, { low, high }) {
  place.hidden = low === null;
  const isLong = high > LONG;
  for (const words of place.querySelectorAll("[data-in]")) words.hidden = (words.dataset.in === "hours") !== isLong;
  for (const one of place.querySelectorAll("[data-low]")) one.textContent = isLong ? inHours(Math.max(1, Math.floor(low / 30))) : low;
  for (const one of place.querySelectorAll("[data-high]")) one.textContent = isLong ? inHours(Math.ceil(high / 30)) : high;
}
