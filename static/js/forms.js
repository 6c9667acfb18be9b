// Small comforts of forms; each works without this file too.

for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// A second click does not send twice. (The server would not mind.)
const once = new Set([...document.querySelectorAll("[data-once]")].map((button) => button.form));
for (const form of once) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true"); // none is heard now
  });
}
addEventListener("pageshow", () => {
  for (const form of once) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});
