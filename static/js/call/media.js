// The person's own camera and microphone. Whatever is missing or refused, the rest is used.

const KEY = "call";

// Chosen on this device, kept for the next call: soundOnly, camera, microphone, speaker.
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

const TROUBLE = { NotAllowedError: "refused", NotFoundError: "missing" };

const chosen = (what) => prefs()[what] && { deviceId: { ideal: prefs()[what] } };
const wanted = {
  audio: () => ({ echoCancellation: true, noiseSuppression: true, ...chosen("microphone") }),
  video: () => ({ width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { max: 15 }, facingMode: "user", ...chosen("camera") }),
};

export class Media {
  sound = null;
  video = null;
  trouble = {}; // per kind: refused, missing or busy
  soundOnly = Boolean(prefs().soundOnly);
  speaker = prefs().speaker ?? "";
  muted = false;

  constructor(onChange) {
    this.onChange = onChange;
  }

  async open() {
    if (this.soundOnly || !(await this.#take("audio", "video"))) {
      await this.#take("audio");
      if (!this.soundOnly) await this.#take("video");
    }
    this.onChange();
  }

  async #take(...kinds) {
    try {
      const asked = Object.fromEntries(kinds.map((kind) => [kind, wanted[kind]()]));
      const stream = await navigator.mediaDevices.getUserMedia(asked);
      for (const track of stream.getTracks()) this.#keep(track);
      return true;
    } catch (error) {
      const why = navigator.mediaDevices ? TROUBLE[error.name] ?? "busy" : "missing";
      for (const kind of kinds) this.trouble[kind] = why;
      return false;
    }
  }

  #keep(track) {
    const place = track.kind === "audio" ? "sound" : "video";
    this[place]?.stop();
    this[place] = track;
    delete this.trouble[track.kind];
    if (place === "sound") track.enabled = !this.muted;
    track.onended = () => {
      if (this[place] !== track) return;
      this[place] = null;
      this.trouble[track.kind] = "busy";
      this.onChange();
    };
  }

  mute(muted) {
    this.muted = muted;
    if (this.sound) this.sound.enabled = !muted;
    this.onChange();
  }

  async camera(on) {
    this.video?.stop(); // its light goes out; and a phone opens one camera at a time
    this.video = null;
    if (on) await this.#take("video");
    this.onChange();
  }

  onlySound(chosen) {
    this.soundOnly = chosen;
    remember({ soundOnly: chosen });
    return this.camera(!chosen);
  }

  async cameras() {
    const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return found.filter((device) => device.kind === "videoinput").map((device) => device.deviceId);
  }

  async nextCamera() {
    const cameras = await this.cameras();
    const now = cameras.indexOf(this.video?.getSettings().deviceId);
    remember({ camera: cameras[(now + 1) % cameras.length] });
    await this.camera(true);
  }

  close() {
    this.sound?.stop();
    this.video?.stop();
    this.sound = this.video = null;
  }
}
