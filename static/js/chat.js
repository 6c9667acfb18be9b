// The talk. A message gets its id here, so that however often it is sent it is stored once; it is
// shown when the server has it, in the server's order.

const RETRY_MS = 3000;
const FULL_PAGE = 200; // as many as the server gives at once: there are more

// isHearing: whether the socket is open, by which what is sent comes back.
export function startChat(section, isHearing) {
  const list = section.querySelector("[data-messages]");
  const form = section.querySelector("[data-chat-form]");
  const errorLine = section.querySelector("[data-chat-error]");
  const { url, files, you, sending, unsent } = section.dataset;
  const csrf = form.elements.csrfmiddlewaretoken.value;
  let last = Math.max(0, ...[...list.children].map((item) => Number(item.dataset.id)));
  let fetching = Promise.resolve();

  const paragraph = (name, text) => {
    const made = document.createElement("p");
    made.className = name;
    made.textContent = text;
    return made;
  };

  function draw(message) {
    list.querySelector(`[data-client="${message.client_id}"]`)?.remove();
    const item = document.createElement("li");
    item.dataset.id = message.id;
    item.dataset.client = message.client_id;
    if (message.mine) item.className = "mine";
    const time = new Date(message.at).toTimeString().slice(0, 5);
    item.append(paragraph("who", `${message.mine ? you : message.author} ${time}`));
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

  async function send(clientId, text, item) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
        body: JSON.stringify({ client_id: clientId, text }),
      });
      if (answer.status >= 500) throw new Error(String(answer.status));
      if (!answer.ok) {
        errorLine.textContent = (await answer.json()).message;
        errorLine.hidden = false;
        form.elements.text.value ||= text; // nothing that was typed is lost
        item.remove();
        return;
      }
      const { id } = await answer.json();
      setTimeout(() => catchUp(id), isHearing() ? RETRY_MS : 0);
    } catch {
      item.querySelector(".who").textContent = unsent;
      setTimeout(() => send(clientId, text, item), RETRY_MS);
    }
  }

  form.addEventListener("submit", (event) => {
    if (form.elements.file.files.length) return; // files go as a form
    event.preventDefault();
    const text = form.elements.text.value.trim();
    if (!text) return;
    errorLine.hidden = true;
    form.elements.text.value = "";
    const clientId = crypto.randomUUID?.() ?? form.elements.client_id.value.replace(/.{12}$/, () => Math.random().toString(16).slice(2, 14).padEnd(12, "0"));
    const item = document.createElement("li");
    item.className = "mine unsent";
    item.dataset.client = clientId;
    item.append(paragraph("who", sending), paragraph("text", text));
    list.append(item);
    list.scrollTop = list.scrollHeight;
    send(clientId, text, item);
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.elements.file.addEventListener("change", () => {
    const chosen = form.elements.file.files[0];
    if (chosen) section.querySelector("[data-file-name]").textContent = chosen.name;
  });
  list.scrollTop = list.scrollHeight;
  return { hear, catchUp };
}
