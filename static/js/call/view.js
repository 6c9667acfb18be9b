// What the page shows of a call, in words that stand in the template.

const NEWS_MS = 8_000;
const isWeak = (peer) => peer.media.weak || peer.ladder.rung > 1 || peer.sample?.lostIn > 0.05;

const ACTS = {
  mute: ({ media }) => media.mute(!media.muted),
  camera: ({ media }) => media.camera(!media.video),
  switch: ({ media }) => media.nextCamera(),
  "sound-only": ({ media }) => media.onlySound(!media.soundOnly),
  retry: ({ media }) => media.open(),
  again: () => location.reload(),
  wait: (call) => call.bePatient(true),
  play(call, view) {
    for (const tile of view.tiles.values()) tile.querySelector("video").play();
    view.find("play").hidden = true;
  },
  full(call, view) {
    const stage = view.find("stage");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
    else stage.querySelector("video").webkitEnterFullscreen?.(); // iPhones know only this
  },
};

export class View {
  constructor(section, call) {
    Object.assign(this, { section, call, tiles: new Map() });
    const words = [...section.querySelectorAll("[data-word]")];
    this.words = Object.fromEntries(words.map((item) => [item.dataset.word, item.textContent]));
    for (const [name, act] of Object.entries(ACTS)) this.find(name)?.addEventListener("click", () => act(call, this));
    // Without a reload, which would begin the call anew.
    this.find("in-text")?.addEventListener("submit", (event) => {
      event.preventDefault();
      fetch(event.target.action, { method: "POST", body: new FormData(event.target), headers: { Accept: "application/json" } });
    });
  }

  find(name) {
    return this.section.querySelector(`[data-${name}]`);
  }

  show() {
    const { ended, hasRtc } = this.call;
    const state = this.#state();
    if (this.shown !== state) this.find("state-words").textContent = this.words[state];
    this.section.dataset.state = this.shown = state;
    this.find("again").hidden = !ended;
    this.find("buttons").hidden = ended || !hasRtc;
    this.#showOwn();
    this.#showPeople();
  }

  #state() {
    const { ended, hasRtc, isOpen, peers } = this.call;
    if (ended) return ended;
    if (!hasRtc) return "off";
    if (!isOpen) return "asking";
    const others = this.call.all((peer) => peer.media.rtc !== false);
    if (!others.length) return peers.size ? "writes" : "waiting";
    if (others.some((peer) => peer.wasConnected && !peer.isConnected)) return "reconnecting";
    if (others.every((peer) => peer.isConnected)) return others.some(isWeak) ? "weak" : "connected";
    return others.some((peer) => peer.tries > 1) ? "blocked" : "connecting";
  }

  #showOwn() {
    const { media, ended } = this.call;
    const own = this.find("own");
    if (this.ownTrack !== media.video) {
      this.ownTrack = media.video;
      own.srcObject = media.video && new MediaStream([media.video]);
      media.cameras().then((cameras) => { this.find("switch").hidden = cameras.length < 2; });
    }
    own.hidden = !media.video;
    for (const [name, isOn] of [["mute", media.muted], ["camera", !media.video], ["sound-only", media.soundOnly]]) this.find(name).setAttribute("aria-pressed", isOn);
    this.find("camera").hidden = media.soundOnly;
    const what = media.trouble.audio ?? (media.soundOnly ? null : media.trouble.video);
    this.find("trouble").hidden = !what || ended;
    if (what) this.find("trouble-words").textContent = this.words[`trouble-${what}`];
  }

  #showPeople() {
    const { media, peers } = this.call;
    for (const [seat, tile] of this.tiles) if (!peers.has(seat) && this.tiles.delete(seat)) tile.remove();
    for (const [seat, peer] of peers) {
      const tile = this.tiles.get(seat) ?? this.#addTile(seat);
      const video = tile.querySelector("video");
      if (video.srcObject !== peer.stream) video.srcObject = peer.stream;
      if (peer.isConnected && video.sinkId !== media.speaker) video.setSinkId?.(media.speaker).catch(() => {});
      if (peer.isConnected && video.paused) video.play().catch(({ name }) => { this.find("play").hidden = name !== "NotAllowedError"; });
      tile.classList.toggle("no-picture", !peer.isConnected || peer.media.video === false || peer.sample?.hasVideo === false);
      tile.querySelector("[data-how]").textContent = this.words[this.#how(peer)] ?? "";
    }
  }

  #how(peer) {
    if (peer.media.rtc === false) return "writes";
    if (!peer.isConnected) return "connecting";
    return peer.media.sound === false ? "muted" : isWeak(peer) && "weak";
  }

  #addTile(seat) {
    const tile = this.find("tile").content.firstElementChild.cloneNode(true);
    tile.querySelector("[data-who]").textContent = this.words[seat];
    this.find("stage").prepend(tile);
    this.tiles.set(seat, tile);
    return tile;
  }

  tell(seat, what) {
    const news = this.find("news");
    news.textContent = `${this.words[seat]}: ${this.words[what]}`;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { news.textContent = ""; }, NEWS_MS);
  }
}
