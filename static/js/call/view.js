// What the page shows of a call, in words that stand in the template.

import { countCameras } from "./media.js";

const NEWS_MS = 8_000;

export class View {
  constructor(section, call) {
    Object.assign(this, { section, call });
    this.words = Object.fromEntries(
      [...section.querySelectorAll("[data-word]")].map((item) => [item.dataset.word, item.textContent]),
    );
    this.tiles = new Map();
    for (const [name, act] of Object.entries(ACTS)) {
      this.find(name)?.addEventListener("click", () => act(call, this));
    }
    this.find("phone")?.form.addEventListener("submit", (event) => this.#showPhone(event));
    this.find("in-text")?.form.addEventListener("submit", (event) => this.#post(event));
  }

  find(name) {
    return this.section.querySelector(`[data-${name}]`);
  }

  show() {
    const state = this.#state();
    if (this.section.dataset.state !== state) {
      this.section.dataset.state = state;
      this.find("state-words").textContent = this.words[state];
    }
    this.#showOwn();
    this.#showPeople();
    this.find("again").hidden = !this.call.ended;
    this.find("buttons").hidden = Boolean(this.call.ended) || !this.call.hasRtc;
  }

  #state() {
    const { call } = this;
    if (call.ended) return call.ended;
    if (!call.hasRtc) return "off";
    if (!call.isOpen) return "asking";
    const peers = [...call.peers.values()].filter((peer) => peer.media.rtc !== false);
    if (!peers.length) return call.peers.size ? "writes" : "waiting";
    if (peers.some((peer) => peer.wasConnected && !peer.isConnected)) return "reconnecting";
    if (peers.every((peer) => peer.isConnected)) return peers.some(isWeak) ? "weak" : "connected";
    return peers.some((peer) => peer.tries > 1) ? "blocked" : "connecting";
  }

  #showOwn() {
    const { media } = this.call;
    const own = this.find("own");
    if ((own.srcObject?.getTracks()[0] ?? null) !== media.video) own.srcObject = media.video && new MediaStream([media.video]);
    own.hidden = !media.video;
    const press = (name, pressed) => this.find(name).setAttribute("aria-pressed", pressed);
    press("mute", media.muted);
    press("camera", !media.video);
    press("sound-only", media.soundOnly);
    this.find("camera").hidden = media.soundOnly;
    if (media.video && this.countedFor !== media.video) {
      this.countedFor = media.video; // devices are named only once one of them is open
      countCameras().then((count) => { this.find("switch").hidden = count < 2; });
    }
    const [what] = Object.values(media.trouble);
    this.find("trouble").hidden = !what || media.soundOnly && !media.trouble.audio || Boolean(this.call.ended);
    if (what) this.find("trouble-words").textContent = this.words[`trouble-${what}`];
  }

  #showPeople() {
    for (const [seat, tile] of this.tiles) {
      if (this.call.peers.has(seat)) continue;
      tile.remove();
      this.tiles.delete(seat);
    }
    for (const [seat, peer] of this.call.peers) {
      const tile = this.tiles.get(seat) ?? this.#addTile(seat);
      const video = tile.querySelector("video");
      if (video.srcObject !== peer.stream) video.srcObject = peer.stream;
      if (peer.isConnected && video.paused) this.#play(video);
      const flows = peer.isConnected && peer.media.video !== false && peer.sample?.hasVideo !== false;
      tile.classList.toggle("no-picture", !flows);
      tile.querySelector("[data-how]").textContent = this.#how(peer);
    }
  }

  #how(peer) {
    if (peer.media.rtc === false) return this.words.writes;
    if (!peer.isConnected) return this.words[peer.wasConnected ? "reconnecting" : "connecting"];
    if (peer.media.sound === false) return this.words.muted;
    return isWeak(peer) ? this.words.weak : "";
  }

  #addTile(seat) {
    const tile = this.find("tile").content.firstElementChild.cloneNode(true);
    tile.dataset.of = seat;
    tile.querySelector("[data-who]").textContent = this.words[seat];
    this.find("stage").prepend(tile);
    this.tiles.set(seat, tile);
    return tile;
  }

  #play(video) {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.find("play").hidden = false;
    });
  }

  // Everybody sees who comes and who goes.
  tell(seat, what) {
    const news = this.find("news");
    news.textContent = `${this.words[seat]}: ${this.words[what]}`;
    clearTimeout(this.newsTimer);
    this.newsTimer = setTimeout(() => { news.textContent = ""; }, NEWS_MS);
  }

  #post(event) {
    event.preventDefault();
    const { form } = event.submitter;
    return fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  }

  async #showPhone(event) {
    const place = this.find("number");
    try {
      const answer = await (await this.#post(event)).json();
      place.textContent = answer.phone ?? answer.message;
      if (answer.phone) place.href = `tel:${answer.phone}`;
    } catch {
      place.textContent = this.words.reconnecting;
    }
    place.hidden = false;
  }
}

const isWeak = (peer) => peer.media.weak || peer.ladder.rung > 1 || peer.sample?.lostIn > 0.05;

const ACTS = {
  mute: ({ media }) => media.mute(!media.muted),
  camera: ({ media }) => media.camera(!media.video),
  switch: ({ media }) => media.nextCamera(),
  "sound-only": ({ media }) => media.onlySound(!media.soundOnly),
  retry: ({ media }) => media.retry(),
  again: () => location.reload(),
  wait: (call) => call.waitLonger(),
  play(call, view) {
    for (const video of view.section.querySelectorAll(".tile video")) video.play();
    view.find("play").hidden = true;
  },
  full(call, view) {
    const stage = view.find("stage");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
    else stage.querySelector("video")?.webkitEnterFullscreen?.(); // iPhones know only this
  },
};
