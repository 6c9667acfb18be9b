// The connection to one other participant: perfect negotiation, its own timeouts, and coming back.

import { firstRung, Ladder, RUNGS, setRung } from "./ladder.js";

const CONNECT_MS = 15_000; // wrong TURN credentials never fail by themselves
const HEAL_MS = 2_000; // a short gap closes without us
const RETRY_MS = 5_000;
const SETTLE_MS = 6_000; // the other side's reports are of the gap until then
const POLITE_MS = 1_200; // so that both sides do not restart at once

// 25 packets of sound a second, not 50: their headers took more than the sound. And no picture again.
const forNarrowLines = (sdp) => sdp.replace(/a=rtpmap:\d+ opus\/.*\r\n/, "$&a=ptime:40\r\n").replace(/a=rtcp-fb:\d+ nack\r\n/g, "");

export class Peer {
  media = {};
  isAway = false; // its socket is gone; sound and picture may still flow
  tries = 0;
  wasConnected = false;
  isConnected = false;
  stream = new MediaStream();
  ladder = new Ladder();
  work = Promise.resolve();

  constructor(call, seat, page, gauge, isPolite) {
    Object.assign(this, { call, seat, page, gauge, isPolite });
  }

  // One thing after the other: a candidate never overtakes its description.
  #queue(step) {
    this.work = this.work.then(step).catch(() => {});
  }

  start() {
    this.#queue(async () => {
      const servers = await this.call.servers();
      if (this.isClosed) return;
      const pc = this.pc = new RTCPeerConnection(servers);
      pc.ontrack = ({ track }) => {
        this.stream.addTrack(track);
        this.call.changed();
      };
      pc.onicecandidate = ({ candidate }) => candidate && this.#say("candidate", { candidate: candidate.toJSON() });
      pc.onnegotiationneeded = () => this.#queue(() => pc.signalingState === "stable" && this.#describe("createOffer"));
      pc.onconnectionstatechange = () => this.#stateChanged(pc.connectionState);
      if (!this.isPolite) {
        for (const kind of ["audio", "video"]) pc.addTransceiver(kind);
        this.sendTracks();
      }
      this.#waitLong();
    });
  }

  #say(what, parts) {
    this.call.say(what, { to: this.seat, for: this.page, ...parts });
  }

  async #describe(make) {
    const { pc } = this;
    const { type, sdp } = await pc[make]();
    await pc.setLocalDescription({ type, sdp: forNarrowLines(sdp) }).catch(() => pc.setLocalDescription());
    this.#sayDescription();
  }

  #sayDescription() {
    const { type, sdp } = this.pc.localDescription;
    this.#say(type, { sdp });
  }

  hear(message) {
    this.#queue(() => this.#hear(message));
  }

  async #hear({ event, sdp, candidate }) {
    const { pc } = this;
    if (event === "candidate") return pc.addIceCandidate(candidate); // may fail, for an ignored offer
    const isOffer = event === "offer";
    if (isOffer && !this.isPolite && pc.signalingState !== "stable") return;
    if (isOffer && pc.currentRemoteDescription) pc.setConfiguration(await this.call.servers()); // the other side starts anew
    await pc.setRemoteDescription({ type: event, sdp: forNarrowLines(sdp) });
    if (!this.isConnected) this.#waitLong(); // a slow device gets all of it
    if (!isOffer) return;
    this.heardAt = performance.now();
    for (const transceiver of pc.getTransceivers()) transceiver.direction = "sendrecv";
    this.sendTracks();
    await this.#describe("createAnswer");
  }

  // Tracks come, go and change without negotiating anew.
  sendTracks() {
    for (const { sender, receiver } of this.pc?.getTransceivers() ?? []) {
      sender.replaceTrack(this.call.media[receiver.track.kind === "audio" ? "sound" : "video"]).catch(() => {});
    }
    this.#setRung();
  }

  wants(media) {
    this.media = media;
    this.#setRung();
  }

  #setRung() {
    if (this.pc) setRung(this.pc, RUNGS[this.ladder.rung], this.media.wants_video !== false);
  }

  #stateChanged(state) {
    this.isConnected = state === "connected";
    if (this.isConnected) {
      clearTimeout(this.timer);
      if (this.wasConnected) {
        this.settledAt = performance.now() + SETTLE_MS;
        this.ladder = new Ladder(Math.max(1, firstRung()));
      }
      this.tries = 0;
      this.wasConnected = true;
      this.#setRung();
    } else if (state !== "connecting") this.#wait(state === "failed" ? 0 : HEAL_MS);
    this.call.changed();
  }

  #wait(ms) {
    clearTimeout(this.timer);
    if (!this.isClosed) this.timer = setTimeout(() => this.restart(), ms);
  }

  #waitLong() {
    this.#wait(this.wasConnected ? RETRY_MS : CONNECT_MS);
  }

  // By the timer, and when the network or the other side is back.
  async restart() {
    const { pc, call } = this;
    if (this.isConnected || !pc) return;
    this.tries += 1;
    this.#waitLong();
    call.changed();
    if (!(await call.canSay())) return;
    if (this.isPolite) {
      await new Promise((done) => setTimeout(done, POLITE_MS));
      if (performance.now() - this.heardAt < 2 * POLITE_MS) return; // the other side was faster
    }
    this.#queue(async () => {
      pc.setConfiguration(await call.servers());
      if (this.isConnected) return;
      // An offer is said again, never taken back: its answer may be under way.
      if (pc.signalingState === "have-local-offer") this.#sayDescription();
      else if (pc.getTransceivers().length) pc.restartIce();
      else this.#say("here", { media: call.saysOfItself() }); // never heard an offer: ask for one
    });
  }

  async look() {
    this.sample = await this.gauge.read(this.pc);
    if (!this.sample || performance.now() < this.settledAt) return;
    const before = this.ladder.rung;
    if (this.ladder.step(this.sample, performance.now() / 1000) !== before) this.#setRung();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.pc?.close();
  }
}
