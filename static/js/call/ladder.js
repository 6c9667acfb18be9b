// Sound is never given up for the picture: picture -> small picture -> sound -> thin sound.
// Estimated bandwidth only says that a line is too narrow for any picture.

export const RUNGS = [
  { video: { maxBitrate: 400_000, scaleResolutionDownBy: 1, maxFramerate: 15 }, sound: 32_000 },
  { video: { maxBitrate: 150_000, scaleResolutionDownBy: 2, maxFramerate: 10 }, sound: 24_000 },
  { video: null, sound: 24_000 },
  { video: null, sound: 16_000 },
];
const LAST = RUNGS.length - 1;
const DOWN_AFTER = 10; // seconds of trouble
const PLUNGE_AFTER = 2; // seconds of broken sound; a wide line shows within one
const LEAST_ROOM = 80_000; // bits a second, for sound and the smallest picture
const UP_AFTER = 30; // quiet seconds; doubled whenever going up was wrong

export function firstRung() {
  const { effectiveType, saveData } = navigator.connection ?? {};
  if (effectiveType?.endsWith("2g")) return 2;
  return saveData || effectiveType === "3g" ? 1 : 0;
}

export class Ladder {
  upAfter = UP_AFTER;
  wentUpAt = -Infinity;
  since = {};

  constructor(rung = firstRung()) {
    this.rung = rung;
  }

  // lost (0 to 1), rtt (seconds), fps (null when no picture is sent), room.
  step({ lost, rtt, fps, room }, now) {
    const lasts = (what, is, seconds) => {
      this.since[what] = is ? Math.min(this.since[what] ?? now, now) : Infinity;
      return now - this.since[what] >= seconds;
    };
    const { video } = RUNGS[this.rung];
    const isNarrow = video && room < LEAST_ROOM && now - this.wentUpAt > PLUNGE_AFTER;
    const isBroken = lasts("broken", lost > 0.12 || rtt > 1.5, PLUNGE_AFTER);
    const isSlow = video && fps !== null && fps < video.maxFramerate / 2.5;
    const isLongBad = lasts("bad", lost > 0.04 || rtt > 0.7 || isSlow, DOWN_AFTER);
    const isLongGood = lasts("good", lost < 0.02 && rtt < 0.4, this.upAfter);
    if (isNarrow || isBroken) this.#move(LAST, now);
    else if (isLongBad) this.#move(this.rung + 1, now);
    else if (isLongGood) this.#move(this.rung - 1, now);
    return this.rung;
  }

  #move(to, now) {
    const rung = Math.max(0, Math.min(LAST, to));
    if (rung > this.rung && now - this.wentUpAt < UP_AFTER) this.upAfter *= 2;
    if (rung < this.rung) this.wentUpAt = now;
    this.rung = rung;
    this.since = {};
  }
}

export async function setRung(pc, { video, sound }, isVideoWanted) {
  for (const { sender, receiver } of pc.getTransceivers()) {
    const parameters = sender.getParameters();
    const [encoding] = parameters.encodings ?? [];
    if (!encoding) continue;
    if (receiver.track.kind === "audio") Object.assign(encoding, { maxBitrate: sound, priority: "high", networkPriority: "high" });
    else Object.assign(encoding, video ?? {}, { active: video && isVideoWanted, priority: "low" });
    await sender.setParameters(parameters).catch(() => {});
  }
}
