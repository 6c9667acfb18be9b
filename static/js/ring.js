// Rings, shakes and notifies. Every way is tried; none is needed.

let audio;

export function allowSound() {
  // Browsers play sound only after the person has touched the page once.
  audio ??= new AudioContext();
  audio.resume();
}

// `speaker` is the id of an output device, where the browser lets a page choose one.
export function ring(title, speaker = "") {
  if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.([400, 200, 400]); // else the browser complains
  if (document.hidden && window.Notification?.permission === "granted") {
    new Notification(title, { tag: "call", requireInteraction: true });
  }
  try {
    audio ??= new AudioContext();
    audio.setSinkId?.(speaker).catch(() => {}); // unplugged since: the usual one
    for (let beat = 0; beat < 12; beat += 1) {
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      const start = audio.currentTime + beat * 0.6 + (beat % 2) * -0.2;
      tone.frequency.value = beat % 2 ? 880 : 660;
      loudness.gain.setValueAtTime(0.25, start);
      loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
      tone.connect(loudness).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.4);
    }
  } catch {
    // No sound on this device; the page and the notification say it.
  }
}
