// Seconds until a moment that the server named.

export function countDown(root = document) {
  for (const place of root.querySelectorAll("[data-countdown]")) {
    const end = Date.parse(place.dataset.countdown);
    const tick = () => {
      const left = Math.max(0, Math.round((end - Date.now()) / 1000));
      place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left && place.isConnected) setTimeout(tick, 1000);
    };
    tick();
  }
}
