// The call of one consultation: who is in it, how each is connected, and what the page shows of it.

import { Media } from "./media.js";
import { Peer } from "./peer.js";
import { Gauge } from "./stats.js";
import { View } from "./view.js";

// A stable rule for who gives way when two offers meet: the later in this list.
const ORDER = ["doctor", "specialist", "health_worker", "patient"];
const LOOK_MS = 1_000;
const PONG_MS = 4_000; // slow is not dead
const SERVERS_MS = 10_000;

export class Call {
  page = Math.random().toString(36).slice(2).padEnd(8, "0");
  hasRtc = "RTCPeerConnection" in window;
  isOpen = !this.hasRtc;
  ended = ""; // "elsewhere" or "text": this page takes no part any more
  peers = new Map();
  gauges = {}; // by seat: what was received, from pages that are gone too
  looks = 0;
  media = new Media(() => this.#mediaChanged());

  // socket: { say(message), isOpen(), renew() }
  constructor(section, socket) {
    Object.assign(this, { section, socket, seat: section.dataset.seat });
    this.view = new View(section, this);
    if (this.hasRtc) {
      this.media.open().then(() => {
        this.isOpen = true;
        this.changed();
      });
    }
    addEventListener("pagehide", () => {
      this.#report();
      if (!this.ended) this.say("bye");
    });
    addEventListener("offline", () => socket.renew());
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden ? this.#report() : this.#wake());
    addEventListener("submit", (event) => event.defaultPrevented || this.#report()); // a prescription asks
    this.changed();
  }

  all(is) {
    return [...this.peers.values()].filter(is);
  }

  // Named when we come in; asked for anew each time after that.
  async servers() {
    if (!this.isFresh) await (this.asking ??= new Promise((done) => {
      this.named = done;
      setTimeout(done, SERVERS_MS);
      this.say("servers");
    }));
    this.isFresh = this.asking = null;
    return { ...this.known, bundlePolicy: "max-bundle" };
  }

  say(what, parts) {
    this.socket.say({ say: what, ...parts });
  }

  // A socket may look open long after the network is gone.
  async canSay() {
    if (!this.socket.isOpen()) return false;
    this.proof ??= new Promise((done) => {
      this.pong = done;
      setTimeout(done, PONG_MS, "late");
      this.say("ping");
    });
    const isLate = (await this.proof) === "late";
    if (isLate && this.proof) this.socket.renew();
    this.proof = null;
    return !isLate && this.isIn;
  }

  saysOfItself() {
    const { sound, video, muted, soundOnly } = this.media;
    const weak = this.all((peer) => peer.ladder.rung > 1).length > 0;
    return { sound: Boolean(sound) && !muted, video: Boolean(video), wants_video: !soundOnly, weak, rtc: this.hasRtc };
  }

  hello() {
    this.isIn = this.said = null;
    if (!this.ended) this.say("join", { page: this.page, media: this.saysOfItself() });
  }

  hear(message) {
    const { event, servers } = message;
    if (servers) {
      Object.assign(this, { known: servers, isFresh: true });
      this.named?.();
    }
    if (event === "in") {
      this.isIn = true;
      this.#report();
    } else if (event === "pong") this.pong?.();
    else if (event === "elsewhere" || event === "text") this.#end(event);
    else if (!this.ended && !servers) this.#hearOf(message);
    this.changed();
  }

  #hearOf(message) {
    const { event, seat, page, media } = message;
    const known = this.peers.get(seat);
    const isNew = known?.page !== page;
    if (event === "joined" || event === "here") {
      const peer = isNew ? this.#add(seat, page) : known;
      if (!isNew) peer.restart();
      else if (event === "joined") this.view.tell(seat, "came");
      peer.isAway = false;
      peer.wants(media);
      if (event === "joined") this.say("here", { to: seat, for: page, media: this.saysOfItself() });
    } else if (isNew) return; // the last words of an older page
    else if (event === "left") {
      this.#drop(seat);
      this.view.tell(seat, "went");
    } else if (event === "lost") known.isAway = true;
    else if (event === "media") known.wants(media);
    else known.hear(message);
  }

  #add(seat, page) {
    this.#drop(seat);
    const gauge = this.gauges[seat] ??= new Gauge();
    gauge.before = null;
    const peer = new Peer(this, seat, page, gauge, ORDER.indexOf(this.seat) > ORDER.indexOf(seat));
    this.peers.set(seat, peer);
    if (this.hasRtc) peer.start();
    return peer;
  }

  #drop(seat) {
    this.peers.get(seat)?.close();
    this.peers.delete(seat);
  }

  #mediaChanged() {
    for (const peer of this.peers.values()) peer.sendTracks();
    this.#sayAnew();
    this.changed();
  }

  #sayAnew() {
    const media = this.saysOfItself();
    const now = JSON.stringify(media);
    if (now === this.said || !this.isIn) return;
    this.said = now;
    this.say("media", { media });
  }

  changed() {
    this.view?.show();
    this.bePatient();
    if (!this.looking && this.all((peer) => peer.isConnected).length) this.looking = setTimeout(() => this.#look(), LOOK_MS);
  }

  async #look() {
    await Promise.all(this.all((peer) => peer.isConnected).map((peer) => peer.look().catch(() => {})));
    this.looking = null;
    const due = ++this.looks / 20; // then less
    if (due % (due > 2 ? 3 : 1) === 0) this.#report();
    this.#sayAnew();
    this.changed();
  }

  // After a minute without the patient the doctor chooses how to go on.
  bePatient(anew) {
    const choices = this.section.querySelector("[data-choices]");
    if (!choices) return;
    const isThere = this.ended || this.all((peer) => peer.seat === choices.dataset.of && (peer.isConnected || (peer.media.rtc === false && !peer.isAway))).length;
    if (isThere || anew) {
      clearTimeout(this.patience);
      this.patience = null;
      choices.hidden = true;
    }
    if (!isThere) this.patience ??= setTimeout(() => { choices.hidden = false; }, choices.dataset.after * 1000);
  }

  async #wake() {
    if (!this.ended && (await this.canSay())) for (const peer of this.peers.values()) peer.restart();
  }

  // Totals: what got lost, the next report says again.
  #report() {
    const got = {};
    for (const seat in this.gauges) got[seat] = ["video", "sound"].map((what) => Math.floor(this.gauges[seat][what]));
    if (Object.keys(got).length) this.say("got", { got });
  }

  #end(why) {
    this.#report();
    this.ended = why;
    for (const seat of [...this.peers.keys()]) this.#drop(seat);
    this.media.close();
  }
}
