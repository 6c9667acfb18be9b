// The talk. A message gets its id here, so that however often and by whatever way it is sent it is stored
// once; it is shown when the server has it, in the server's order.

import { isHeard } from "./signed_out.js";

const RETRY_MS = 3000;
const FULL_PAGE = 200; // as many as the server gives at once: there are more

// A time as the page has it too (esanjeevani/formats); it comes as it is in India.
function clock(at) {
  const [hour, minute] = at.slice(11, 16).split(":");
  if (document.documentElement.lang === "hi") return `${Number(hour)}:${minute}`;
  return `${hour % 12 || 12}:${minute}\u00a0${hour < 12 ? "a.m." : "p.m."}`; // in one line
}

// socket: { say(message), isOpen() }: words go up it, and whatever is sent comes back by it.
export function startChat(section, socket) {
  const list = section.querySelector("[data-messages]");
  const form = section.querySelector("[data-chat-form]");
  const errorLine = section.querySelector("[data-chat-error]");
  const { url, files, you, sending, unsent } = section.dataset;
  const csrf = () => form.elements.csrfmiddlewaretoken.value; // another one after signing in again
  let last = Math.max(0, ...[...list.children].map((item) => Number(item.dataset.id)));
  let fetching = Promise.resolve();
  const underWay = new Map(); // by its id, what went up the socket
  const unheard = new Map(); // by its id, what is not in the talk yet

  // Whose session ends finds it in the box again, in this window, after signing in.
  function keep() {
    const words = [...unheard.values(), form.elements.text.value].filter(Boolean).join("\n");
    if (words) sessionStorage.setItem(url, words);
    else sessionStorage.removeItem(url);
  }

  function forget(clientId) {
    if (unheard.delete(clientId)) keep();
  }

  const paragraph = (name, text) => {
    const made = document.createElement("p");
    made.className = name;
    made.textContent = text;
    return made;
  };

  function draw(message) {
    list.querySelector(`[data-client="${message.client_id}"]`)?.remove();
    forget(message.client_id);
    const item = document.createElement("li");
    item.dataset.id = message.id;
    item.dataset.client = message.client_id;
    if (message.mine) item.className = "mine";
    item.append(paragraph("who", `${message.mine ? you : message.author} ${clock(message.at)}`));
    if (message.text) item.append(paragraph("text", message.text));
    if (message.file) {
      const link = document.createElement("a");
      link.className = "file";
      link.href = `${files}${message.file.uid}/`;
      link.textContent = message.file.name;
      item.append(link);
    }
    list.insertBefore(item, list.querySelector(".unsent"));
    list.scrollTop = list.scrollHeight;
  }

  function take(message) {
    if (message.id <= last) return;
    last = message.id;
    draw(message);
  }

  // With its words, and the id of the one before: who has that one has all. What was missed is fetched.
  function hear(message) {
    fetching = fetching.then(() => {
      if (message.after <= last) take(message);
      else catchUp(message.id);
    });
  }

  // One at a time, so that two answers cannot overtake each other. What is shown already is not fetched again.
  function catchUp(until = Infinity) {
    fetching = fetching.then(async () => {
      if (until <= last) return;
      const answer = await fetch(`${url}?after=${last}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const messages = await answer.json();
      if (messages.length >= FULL_PAGE) setTimeout(() => catchUp());
      for (const message of messages) take(message);
    }).catch(() => setTimeout(() => catchUp(until), RETRY_MS));
    return fetching;
  }

  // Up the socket; by a request what has a file, what the socket refused and what did not come back by it.
  function send(message) {
    if (message.files.length || !socket.isOpen()) return post(message);
    underWay.set(message.clientId, message);
    socket.say({ say: "write", client_id: message.clientId, text: message.text });
    setTimeout(() => postInstead(message.clientId), RETRY_MS);
  }

  function postInstead(clientId) {
    const message = underWay.get(clientId);
    underWay.delete(clientId);
    if (message?.item.isConnected) post(message);
  }

  async function post(message) {
    try {
      const answer = await (message.files.length ? postFile(message) : postText(message));
      if (!(await isHeard(answer))) throw new Error(String(answer.status));
      const said = await answer.json();
      if (answer.ok) setTimeout(() => catchUp(said.id), socket.isOpen() ? RETRY_MS : 0);
      else refused(message, Object.values(said.fields ?? {}).flat().join(" ") || said.message);
    } catch {
      message.item.querySelector(".who").textContent = unsent;
      setTimeout(() => post(message), RETRY_MS);
    }
  }

  const postText = ({ clientId, text }) => fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf() },
    body: JSON.stringify({ client_id: clientId, text }),
  });

  function postFile({ clientId, text, files }) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ client_id: clientId, text, file: files[0] })) body.append(name, value);
    return fetch(`${url}files/`, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": csrf() }, body });
  }

  // Nothing that was typed or chosen is lost.
  function refused({ clientId, text, files, item }, words) {
    errorLine.textContent = words;
    errorLine.hidden = false;
    form.elements.text.value ||= text;
    forget(clientId);
    const chosen = new DataTransfer();
    for (const file of files) chosen.items.add(file);
    if (!form.elements.file.files.length) form.elements.file.files = chosen.files;
    sayChosen();
    item.remove();
  }

  const fileName = section.querySelector("[data-file-name]");
  const noFile = fileName.textContent;
  function sayChosen() {
    fileName.textContent = form.elements.file.files[0]?.name ?? noFile;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.text.value.trim();
    const files = [...form.elements.file.files];
    if (!text && !files.length) return;
    errorLine.hidden = true;
    const clientId = crypto.randomUUID?.() ?? form.elements.client_id.value.replace(/.{12}$/, () => Math.random().toString(16).slice(2, 14).padEnd(12, "0"));
    const item = document.createElement("li");
    item.className = "mine unsent";
    item.dataset.client = clientId;
    item.append(paragraph("who", sending), paragraph("text", text || files[0].name));
    list.append(item);
    list.scrollTop = list.scrollHeight;
    form.reset();
    unheard.set(clientId, text);
    keep();
    sayChosen();
    send({ clientId, text, files, item });
  });
  form.elements.text.value ||= sessionStorage.getItem(url) ?? "";
  keep();
  form.elements.text.addEventListener("input", keep);
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.elements.file.addEventListener("change", sayChosen);
  list.scrollTop = list.scrollHeight;
  return { hear, catchUp, postInstead };
}
