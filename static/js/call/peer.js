// The connection to one other participant: perfect negotiation, its own timeouts, and coming back.

import { firstRung, Ladder, RUNGS, setRung } from "./ladder.js";
import { Gauge } from "./stats.js";

const CONNECT_MS = 15_000; // wrong TURN credentials never fail by themselves
const HEAL_MS = 2_000; // a short gap closes without us
const RETRY_MS = 5_000;
const RETRIES_IN_A_ROW = 12; // then every CONNECT_MS
const POLITE_WAITS_MS = 1_200; // so that both sides do not restart at once

// 25 packets of sound a second instead of 50: their headers would take more than the sound does.
const inLongerPackets = (sdp) => sdp.replace(/a=rtpmap:\d+ opus\/.*\r\n/, "$&a=ptime:40\r\n");

export class Peer {
  // call: { media, servers(fresh), say(what, parts), canSay(), changed() }
  constructor(call, seat, page, isPolite) {
    Object.assign(this, { call, seat, page, isPolite });
    this.media = {};
    this.isAway = false; // its socket is gone; sound and picture may still flow
    this.tries = 0;
    this.wasConnected = false;
    this.stream = new MediaStream();
    this.gauge = new Gauge();
    this.ladder = new Ladder();
    this.sample = null;
    this.isMaking = this.isIgnoring = this.isAnswering = false;
    this.work = Promise.resolve();
  }

  get state() {
    return this.pc?.connectionState ?? "new";
  }

  get isConnected() {
    return this.state === "connected";
  }

  async start(servers) {
    this.pc = new RTCPeerConnection({ ...servers, bundlePolicy: "max-bundle" });
    const { pc } = this;
    pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      this.call.changed();
    };
    pc.onicecandidate = ({ candidate }) => candidate && this.#say("candidate", { candidate: candidate.toJSON() });
    pc.onnegotiationneeded = () => this.#offer();
    pc.onconnectionstatechange = () => this.#stateChanged();
    if (!this.isPolite) {
      for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "sendrecv" });
      this.sendTracks();
    }
    this.#wait(CONNECT_MS);
  }

  #say(what, parts) {
    this.call.say(what, { to: this.seat, for: this.page, ...parts });
  }

  async #offer() {
    try {
      this.isMaking = true;
      await this.pc.setLocalDescription();
      this.#say(this.pc.localDescription.type, { sdp: this.pc.localDescription.sdp });
    } catch {
      this.#wait(RETRY_MS);
    } finally {
      this.isMaking = false;
    }
  }

  // One message after the other: a candidate never overtakes its description.
  hear(message) {
    this.work = this.work.then(() => this.#hear(message)).catch(() => {});
    return this.work;
  }

  async #hear({ event, sdp, candidate }) {
    const { pc } = this;
    if (event === "candidate") {
      await pc.addIceCandidate(candidate).catch(() => {}); // of an offer that we ignored, or an old one
      return;
    }
    const isReady = !this.isMaking && (pc.signalingState === "stable" || this.isAnswering);
    this.isIgnoring = event === "offer" && !isReady && !this.isPolite;
    if (this.isIgnoring) return;
    if (event === "offer" && pc.currentRemoteDescription) await this.#refresh(); // the other side starts anew
    this.isAnswering = event === "answer";
    try {
      await pc.setRemoteDescription({ type: event, sdp: inLongerPackets(sdp) });
    } finally {
      this.isAnswering = false;
    }
    if (event !== "offer") return;
    this.heardAt = performance.now();
    for (const transceiver of pc.getTransceivers()) transceiver.direction = "sendrecv";
    this.sendTracks();
    await pc.setLocalDescription();
    this.#say("answer", { sdp: pc.localDescription.sdp });
  }

  // Tracks come, go and change without negotiating anew.
  sendTracks() {
    for (const { sender, receiver } of this.pc?.getTransceivers() ?? []) {
      const track = receiver.track.kind === "audio" ? this.call.media.sound : this.call.media.video;
      if (sender.track !== track) sender.replaceTrack(track).catch(() => {});
    }
    this.setRung();
  }

  setRung() {
    if (this.pc) setRung(this.pc, RUNGS[this.ladder.rung], this.media.wants_video !== false);
  }

  #stateChanged() {
    if (this.isConnected) {
      clearTimeout(this.timer);
      // What the gap did to the figures says nothing of the network that is back.
      if (this.wasConnected && this.tries) this.ladder = new Ladder(Math.max(1, firstRung()));
      this.tries = 0;
      this.wasConnected = true;
      this.setRung();
    } else if (this.state === "disconnected") this.#wait(HEAL_MS);
    else if (this.state === "failed") this.#wait(0);
    this.call.changed();
  }

  #wait(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.restart(), ms);
  }

  // Again with fresh credentials. Called by the timer, and when the network or the other side is back.
  async restart() {
    const { pc } = this;
    if (this.isConnected || this.state === "closed") return;
    this.tries += 1;
    const isSlow = !this.wasConnected || this.tries > RETRIES_IN_A_ROW;
    this.#wait(isSlow ? CONNECT_MS : RETRY_MS);
    this.call.changed();
    if (!(await this.call.canSay())) return;
    if (this.isPolite) {
      const asked = performance.now();
      await new Promise((done) => setTimeout(done, POLITE_WAITS_MS));
      if (this.heardAt > asked - POLITE_WAITS_MS) return; // the other side was faster
    }
    try {
      await this.#refresh();
      if (this.isConnected) return;
      if (pc.signalingState === "have-local-offer") await pc.setLocalDescription({ type: "rollback" });
      if (pc.getTransceivers().length) pc.restartIce();
      else this.#say("here", { media: this.call.saysOfItself() }); // never heard an offer: ask for one
    } catch {
      // The next try comes by the timer.
    }
  }

  async #refresh() {
    this.pc.setConfiguration({ ...(await this.call.servers(true)), bundlePolicy: "max-bundle" });
  }

  async look() {
    if (!this.isConnected) return;
    this.sample = await this.gauge.read(this.pc);
    if (!this.sample) return;
    const before = this.ladder.rung;
    if (this.ladder.step(this.sample, performance.now() / 1000) !== before) this.setRung();
  }

  close() {
    clearTimeout(this.timer);
    this.pc?.close();
  }
}
