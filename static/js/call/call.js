// The call of one consultation: who is in it, how each is connected, and what the page shows of it.

import { Media } from "./media.js";
import { Peer } from "./peer.js";
import { View } from "./view.js";

// A stable rule for who gives way when two offers meet: the later in this list.
const ORDER = ["doctor", "specialist", "health_worker", "patient"];
const PATIENTS_SIDE = new Set(["health_worker", "patient"]);
const LOOK_MS = 2_000;
const REPORT_MS = 10_000;
const PONG_MS = 2_000;
const SERVERS_KEEP_MS = 600_000;
const NO_SERVERS = { iceServers: [] };

const newPage = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Call {
  // socket: { say(message), isOpen(), renew() }
  constructor(section, socket) {
    Object.assign(this, { section, socket });
    this.seat = section.dataset.seat;
    this.page = newPage();
    this.peers = new Map(); // by seat
    this.hasRtc = "RTCPeerConnection" in window;
    this.ended = ""; // "elsewhere", "text": this page takes no part any more
    this.isOpen = !this.hasRtc;
    this.media = new Media(() => this.#mediaChanged());
    this.flows = new Map(); // by seat: gauges of peers, also of those that are gone
    this.view = new View(section, this);
    if (this.hasRtc) this.#open();
    addEventListener("pagehide", () => this.#goodbye());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    addEventListener("offline", () => this.socket.renew());
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
    setInterval(() => this.#report(), REPORT_MS);
    this.changed();
  }

  async #open() {
    this.servers();
    await this.media.open();
    this.isOpen = true;
    this.changed();
  }

  // --- what the servers say ------------------------------------------------------------------------
  async servers(fresh = false) {
    if (this.known && !fresh && Date.now() - this.knownAt < SERVERS_KEEP_MS) return this.known;
    this.knownAt = Date.now();
    const before = this.known;
    this.known = fetch(this.section.dataset.ice, { headers: { Accept: "application/json" } })
      .then(async (answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .catch(() => before ?? NO_SERVERS);
    return this.known;
  }

  // --- what pages say to each other ---------------------------------------------------------------
  say(what, parts = {}) {
    this.socket.say({ say: what, ...parts });
  }

  // A socket may look open long after the network is gone.
  async canSay() {
    if (!this.socket.isOpen()) return false;
    const answered = await new Promise((done) => {
      this.pong = () => done(true);
      setTimeout(done, PONG_MS, false);
      this.say("ping");
    });
    if (!answered) this.socket.renew();
    return answered && this.isIn;
  }

  saysOfItself() {
    const { sound, video, muted, soundOnly } = this.media;
    const weak = [...this.peers.values()].some((peer) => peer.ladder.rung > 1);
    return { sound: Boolean(sound) && !muted, video: Boolean(video), wants_video: !soundOnly, weak, rtc: this.hasRtc };
  }

  // The socket is open, or open again.
  hello() {
    this.isIn = false;
    if (!this.ended) this.say("join", { page: this.page, media: this.saysOfItself() });
  }

  hear(message) {
    const { event, seat, page } = message;
    if (event === "in") this.isIn = true;
    else if (event === "pong") this.pong?.();
    else if (event === "elsewhere" || event === "text") this.#end(event);
    else if (!this.ended) HEARD[event]?.call(this, seat, page, message);
    this.changed();
  }

  meet(seat, page, { media }, isNew) {
    let peer = this.peers.get(seat);
    if (peer?.page !== page) {
      if (isNew) this.view.tell(seat, "came");
      peer = this.#add(seat, page);
    } else if (this.hasRtc && peer.pc && !peer.isConnected) peer.restart();
    peer.isAway = false;
    Object.assign(peer.media, media);
    peer.setRung();
    return peer;
  }

  #add(seat, page) {
    this.#drop(seat);
    const peer = new Peer(this, seat, page, ORDER.indexOf(this.seat) > ORDER.indexOf(seat));
    this.peers.set(seat, peer);
    peer.work = this.servers().then((servers) => peer.state !== "closed" && this.hasRtc && peer.start(servers)).catch(() => {});
    this.#keepLooking();
    return peer;
  }

  #drop(seat) {
    const peer = this.peers.get(seat);
    if (!peer) return;
    const { video, sound } = this.flow(seat, peer);
    this.flows.set(seat, { video, sound });
    peer.close();
    this.peers.delete(seat);
  }

  gone(seat, page) {
    if (this.peers.get(seat)?.page !== page) return;
    this.#drop(seat);
    this.view.tell(seat, "went");
  }

  peerOf(seat, page, event) {
    const peer = this.peers.get(seat);
    if (peer?.page === page) return peer;
    return event === "offer" ? this.#add(seat, page) : null;
  }

  // --- what changes --------------------------------------------------------------------------------
  #mediaChanged() {
    for (const peer of this.peers.values()) peer.sendTracks();
    this.#saySelf();
    this.changed();
  }

  #saySelf() {
    const now = JSON.stringify(this.saysOfItself());
    if (now === this.saidOfItself || !this.isIn) return;
    this.saidOfItself = now;
    this.say("media", { media: this.saysOfItself() });
  }

  changed() {
    this.view?.show();
    this.#minePatience();
    this.#keepLooking();
  }

  // After a minute without the patient's side the doctor chooses how to go on.
  #minePatience() {
    const choices = this.section.querySelector("[data-choices]");
    if (!choices) return;
    const there = [...this.peers.values()].some((peer) =>
      PATIENTS_SIDE.has(peer.seat) && (peer.isConnected || (peer.media.rtc === false && !peer.isAway)));
    if (there || this.ended) {
      clearTimeout(this.patience);
      this.patience = null;
      choices.hidden = true;
    } else {
      this.patience ??= setTimeout(() => { choices.hidden = false; }, Number(choices.dataset.after) * 1000);
    }
  }

  waitLonger() {
    clearTimeout(this.patience);
    this.patience = null;
    this.section.querySelector("[data-choices]").hidden = true;
    this.changed();
  }

  // Looks only while somebody is connected.
  #keepLooking() {
    if (this.looking || ![...this.peers.values()].some((peer) => peer.isConnected)) return;
    this.looking = setTimeout(async () => {
      await Promise.all([...this.peers.values()].map((peer) => peer.look()));
      this.looking = null;
      this.#saySelf();
      this.changed();
    }, LOOK_MS);
  }

  async #wake() {
    if (this.ended || !(await this.canSay())) return;
    for (const peer of this.peers.values()) if (peer.pc) peer.restart();
  }

  // --- the end -------------------------------------------------------------------------------------
  flow(seat, peer) {
    const before = this.flows.get(seat) ?? { video: 0, sound: 0 };
    return { video: before.video + (peer?.gauge.video ?? 0), sound: before.sound + (peer?.gauge.sound ?? 0) };
  }

  #report() {
    const body = new FormData();
    body.set("page", this.page);
    body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const seat of ORDER) {
      const { video, sound } = this.flow(seat, this.peers.get(seat));
      if (video || sound) body.append("flow", `${seat}:${Math.floor(video)}:${Math.floor(sound)}`);
    }
    const all = String(body.getAll("flow"));
    if (all === (this.reported ?? "")) return;
    fetch(this.section.dataset.flow, { method: "POST", body, keepalive: true })
      .then((answer) => { if (answer.status < 500) this.reported = all; })
      .catch(() => {}); // totals: the next report says it again
  }

  #goodbye() {
    this.#report();
    if (!this.ended) this.say("bye");
  }

  #end(why) {
    this.#report();
    this.ended = why;
    for (const seat of [...this.peers.keys()]) this.#drop(seat);
    this.media.close();
  }
}

const HEARD = {
  joined(seat, page, message) {
    this.meet(seat, page, message, true);
    this.say("here", { to: seat, for: page, media: this.saysOfItself() });
  },
  here(seat, page, message) {
    this.meet(seat, page, message, false);
  },
  media(seat, page, { media }) {
    const peer = this.peers.get(seat);
    if (peer?.page !== page) return;
    Object.assign(peer.media, media);
    peer.setRung();
  },
  left(seat, page) {
    this.gone(seat, page);
  },
  lost(seat, page) {
    const peer = this.peers.get(seat);
    if (peer?.page === page) peer.isAway = true;
  },
};
for (const event of ["offer", "answer", "candidate"]) {
  HEARD[event] = function pass(seat, page, message) {
    this.peerOf(seat, page, event)?.hear(message);
  };
}
