// Before the call: camera, microphone, speaker and network are tried; the place in the line is kept.

import { Media, prefs, remember } from "./call/media.js";
import { listen } from "./live.js";
import { ring } from "./ring.js";

const page = document.querySelector("[data-devices]");
const find = (name) => page.querySelector(`[data-${name}]`);
const TRIES = 3;
const SLOW_MS = 600;
const RELAY_WITHIN_MS = 8000;

// Called, or anything else that is not waiting: the consultation's own page knows.
listen(page.dataset.socket, {
  onMessage(message) {
    const moved = ["hello", "now"].includes(message.type) ? message.token !== "waiting" : message.type === "token" || message.type === "state";
    if (moved) location.assign(page.dataset.visit);
  },
});

function say(trial, result, words) {
  const place = find(trial);
  place.dataset.result = result;
  place.querySelector(".result").textContent = find(`word-${words}`).textContent;
}

// --- camera and microphone ---------------------------------------------------------------------------
const media = new Media(showMedia);
let meter;

function showMedia() {
  find("own").hidden = !media.video;
  find("own").srcObject = media.video && new MediaStream([media.video]);
  if (media.soundOnly) say("camera", "good", "not-needed");
  else say("camera", media.video ? "good" : "bad", media.video ? "seen" : media.trouble.video ?? "missing");
  say("microphone", media.sound ? "good" : "bad", media.sound ? "speak" : media.trouble.audio ?? "missing");
  find("help").hidden = !Object.values(media.trouble).includes("refused");
  if (media.sound) measure(media.sound);
  listDevices();
}

function measure(track) {
  meter?.close();
  meter = new AudioContext();
  const analyser = meter.createAnalyser();
  meter.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const own = meter;
  let loudest = 0;
  const look = () => {
    if (own !== meter) return;
    analyser.getFloatTimeDomainData(samples);
    const level = Math.max(...samples.map(Math.abs));
    find("level").value = level;
    loudest = Math.max(loudest, level);
    if (loudest > 0.05) say("microphone", "good", "heard");
    setTimeout(look, 150);
  };
  look();
}

// Not every browser lets the page choose where the sound comes out.
const maySetSpeaker = "setSinkId" in HTMLMediaElement.prototype;

async function listDevices() {
  const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const kinds = [["cameras", "videoinput", "camera"], ["microphones", "audioinput", "microphone"]];
  if (maySetSpeaker) kinds.push(["speakers", "audiooutput", "speaker"]);
  for (const [select, kind, kept] of kinds) {
    const place = find(select);
    const devices = found.filter((device) => device.kind === kind && device.deviceId);
    place.closest(".field").hidden = devices.length < 2;
    place.replaceChildren(...devices.map(({ deviceId, label }) => new Option(label, deviceId, false, deviceId === prefs()[kept])));
  }
}

for (const [select, kept] of [["cameras", "camera"], ["microphones", "microphone"]]) {
  find(select).addEventListener("change", (event) => {
    remember({ [kept]: event.target.value });
    media.close();
    media.open();
  });
}

find("start").addEventListener("click", async () => {
  find("start").hidden = true;
  media.trouble = {};
  await Promise.all([media.open(), tryNetwork()]);
  find("start").hidden = false;
  find("start-words").textContent = find("word-again").textContent;
});

// --- speaker -----------------------------------------------------------------------------------------
find("play").addEventListener("click", () => {
  ring(document.title, prefs().speaker);
  for (const button of page.querySelectorAll("[data-yes], [data-no]")) button.hidden = false;
});
find("speakers").addEventListener("change", (event) => {
  remember({ speaker: event.target.value });
  ring(document.title, event.target.value);
});
find("yes").addEventListener("click", () => say("speaker", "good", "speaker-good"));
find("no").addEventListener("click", () => say("speaker", "bad", "speaker-bad"));

// --- network -----------------------------------------------------------------------------------------
async function tryNetwork() {
  say("network", "", "trying");
  try {
    const times = [];
    let servers;
    for (let index = 0; index < TRIES; index += 1) {
      const start = performance.now();
      const answer = await fetch(page.dataset.ice, { headers: { Accept: "application/json" } });
      servers = await answer.json();
      times.push(performance.now() - start);
    }
    const isSlow = times.sort((one, two) => one - two)[1] > SLOW_MS || navigator.connection?.effectiveType?.endsWith("2g");
    if (!("RTCPeerConnection" in window)) say("network", "bad", "no-video");
    else if (!(await reachesRelay(servers.iceServers))) say("network", "bad", "blocked");
    else say("network", isSlow ? "bad" : "good", isSlow ? "slow" : "network-good");
  } catch {
    say("network", "bad", "no-network");
  }
}

async function reachesRelay(iceServers) {
  if (!iceServers?.length) return true; // calls are direct here
  const trial = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
  try {
    return await new Promise((done) => {
      trial.onicecandidate = ({ candidate }) => candidate?.type === "relay" && done(true);
      setTimeout(done, RELAY_WITHIN_MS, false);
      trial.createDataChannel("");
      trial.setLocalDescription();
    });
  } finally {
    trial.close();
  }
}

// --- the choice --------------------------------------------------------------------------------------
for (const option of page.querySelectorAll("[name=how]")) {
  option.checked = (option.value === "sound") === Boolean(prefs().soundOnly);
  option.addEventListener("change", () => media.onlySound(option.value === "sound"));
}
addEventListener("pagehide", () => media.close());
