// What getStats() says of one connection since the last look.

const LONGEST = 5; // seconds: a laptop may sleep
const OLD_MS = 8_000;

export class Gauge {
  before = null;
  video = 0; // seconds in which frames were decoded
  sound = 0; // seconds in which something could be heard

  // { lost, rtt, fps, lostIn, hasVideo } or null on the first look.
  async read(pc) {
    const now = { at: performance.now() / 1000, frames: 0, energy: 0, packets: 0, lostIn: 0, lost: 0, rtt: 0, fps: null, room: Infinity };
    for (const entry of (await pc.getStats()).values()) GATHER[entry.type]?.(now, entry);
    const { before } = this;
    this.before = now;
    if (!before || now.frames < before.frames || now.packets < before.packets) return null;
    const seconds = Math.min(LONGEST, now.at - before.at);
    const hasVideo = now.frames > before.frames;
    if (hasVideo) this.video += seconds;
    if (now.energy > before.energy) this.sound += seconds;
    const lost = Math.max(0, now.lostIn - before.lostIn);
    return { ...now, hasVideo, lostIn: lost / Math.max(1, lost + now.packets - before.packets) };
  }
}

const GATHER = {
  "inbound-rtp"(now, entry) {
    if (entry.kind === "video") {
      now.frames += entry.framesDecoded ?? 0;
      return;
    }
    now.packets += entry.packetsReceived ?? 0;
    now.lostIn += entry.packetsLost ?? 0;
    now.energy += entry.totalAudioEnergy ?? entry.packetsReceived ?? 0;
  },
  "remote-inbound-rtp"(now, entry) {
    if (Date.now() - entry.timestamp > OLD_MS) return; // of a picture that is no longer sent
    now.lost = Math.max(now.lost, entry.fractionLost ?? 0);
    now.rtt = Math.max(now.rtt, entry.roundTripTime ?? 0);
  },
  "outbound-rtp"(now, entry) {
    if (entry.kind === "video" && entry.active) now.fps = entry.framesPerSecond ?? 0;
  },
  // On a full line the pair's state is no longer "succeeded".
  "candidate-pair"(now, entry) {
    if (!entry.nominated) return;
    now.room = Math.min(now.room, entry.availableOutgoingBitrate ?? Infinity);
    if (entry.state === "succeeded") now.rtt = Math.max(now.rtt, entry.currentRoundTripTime ?? 0);
  },
};
