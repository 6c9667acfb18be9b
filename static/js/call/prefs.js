// What a person chose on this device, kept for the next call: sound only, which camera, which microphone.

const KEY = "call";

export function prefs() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function remember(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...prefs(), ...changes }));
  } catch {
    // A private window keeps nothing; the choice holds for this page.
  }
}
