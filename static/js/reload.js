// Loads the page anew, but never in the way of a form that is being sent.

let leaving = false;
addEventListener("submit", (event) => {
  if (!event.defaultPrevented) leaving = true;
});
addEventListener("pageshow", () => {
  leaving = false;
});

export function reload() {
  if (!leaving) location.reload();
}

export const isLeaving = () => leaving;
