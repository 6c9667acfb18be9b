// The person's own camera and microphone. Whatever is missing or refused, the rest is used.

import { prefs, remember } from "./prefs.js";

const TROUBLE = {
  NotAllowedError: "refused", SecurityError: "refused",
  NotFoundError: "missing", OverconstrainedError: "missing",
  NotReadableError: "busy", AbortError: "busy",
};

const soundWanted = () => ({
  echoCancellation: true, noiseSuppression: true, autoGainControl: true,
  ...(prefs().microphone && { deviceId: { ideal: prefs().microphone } }),
});
const videoWanted = () => ({
  width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 15, max: 15 },
  ...(prefs().camera ? { deviceId: { ideal: prefs().camera } } : { facingMode: "user" }),
});

export class Media {
  // `onChange` is called whenever a track or its trouble changes.
  constructor(onChange) {
    this.onChange = onChange;
    this.sound = null;
    this.video = null;
    this.trouble = {}; // per kind: refused, missing or busy
    this.soundOnly = Boolean(prefs().soundOnly);
    this.muted = false;
  }

  async open() {
    if (!navigator.mediaDevices) {
      this.trouble = { audio: "missing", video: "missing" };
    } else if (this.soundOnly || !(await this.#take({ audio: soundWanted(), video: videoWanted() }))) {
      await this.#take({ audio: soundWanted() });
      if (!this.soundOnly) await this.#take({ video: videoWanted() });
    }
    this.onChange();
  }

  async #take(wanted) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wanted);
      for (const track of stream.getTracks()) this.#keep(track);
      return true;
    } catch (error) {
      for (const kind of Object.keys(wanted)) this.trouble[kind] = TROUBLE[error.name] ?? "busy";
      return false;
    }
  }

  #keep(track) {
    const place = track.kind === "audio" ? "sound" : "video";
    this[place]?.stop();
    this[place] = track;
    delete this.trouble[track.kind];
    if (track.kind === "audio") track.enabled = !this.muted;
    track.onended = () => { // unplugged, or taken by another program
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
    if (on) await this.#take({ video: videoWanted() });
    else this.#dropVideo();
    this.onChange();
  }

  #dropVideo() {
    this.video?.stop(); // so that the camera's light goes out
    this.video = null;
  }

  async onlySound(chosen) {
    this.soundOnly = chosen;
    remember({ soundOnly: chosen });
    await this.camera(!chosen);
  }

  async nextCamera() {
    const found = await navigator.mediaDevices.enumerateDevices();
    const cameras = found.filter((device) => device.kind === "videoinput").map((device) => device.deviceId);
    const now = cameras.indexOf(this.video?.getSettings().deviceId);
    remember({ camera: cameras[(now + 1) % cameras.length] });
    this.#dropVideo(); // a phone opens one camera at a time
    await this.camera(true);
  }

  async retry() {
    await this.open();
  }

  close() {
    this.sound?.stop();
    this.#dropVideo();
    this.sound = null;
  }
}

export async function countCameras() {
  const found = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return found.filter((device) => device.kind === "videoinput").length;
}
