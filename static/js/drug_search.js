// Search as you type over generics: a list under the field, worked by keys or by a click.

const PAUSE_MS = 120;
const KNOWN_MS = 60_000; // how long an answer is looked through for a longer text
const PLAIN = /^[\x20-\x7e]{2,80}$/; // what is compared here as the server compares it
const list = document.createElement("ul");
list.className = "drug-list";
list.id = "drug-list";
list.setAttribute("role", "listbox");
let field, rows = [], chosen = -1, timer, asked = "";
let last = { typed: "", rows: [], whole: false, until: 0 };

function close() {
  list.remove();
  rows = [];
  chosen = -1;
  field?.setAttribute("aria-expanded", "false");
}

function choose(row) {
  const line = field.closest("[data-row]");
  field.value = row.generic;
  if (line && row.strength) {
    line.querySelector("[name$=-strength]").value = row.strength;
    line.querySelector("[name$=-form]").value = row.form;
  }
  const next = line?.querySelector("[name$=-dose]");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  close();
  next?.focus();
}

function option(row, index) {
  const item = document.createElement("li");
  item.setAttribute("role", "option");
  item.id = `drug-${index}`;
  const name = document.createElement("strong");
  name.textContent = row.name === row.generic ? row.generic : `${row.name} → ${row.generic}`;
  const what = document.createElement("span");
  what.textContent = [row.strength, row.form_name].filter(Boolean).join(" · ");
  const rule = document.createElement("small");
  rule.textContent = row.rule;
  item.append(name, what, rule);
  item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(row); });
  return item;
}

function mark(index) {
  chosen = index;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  list.children[index]?.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", index < 0 ? "" : `drug-${index}`);
}

// What the server would find, from its last answer; null where only the server can say.
function known(typed) {
  const isLonger = last.whole && Date.now() < last.until && typed.startsWith(last.typed);
  if (!isLonger || !PLAIN.test(typed)) return null;
  const words = typed.toLowerCase().split(/\s+/).slice(0, 4);
  const found = last.rows.filter((row) => words.every((word) => row.key.includes(word)));
  return found.every((row) => row.key.startsWith(words[0])) ? found : null; // else in another order
}

async function ask(typed) {
  const { search: url } = field.closest("[data-search]").dataset;
  const answer = await fetch(`${url}?q=${encodeURIComponent(typed)}`);
  if (!answer.ok) return null;
  last = { typed, until: Date.now() + KNOWN_MS, ...await answer.json() };
  return last.rows;
}

async function search() {
  const typed = field.value.trim();
  asked = typed;
  if (typed.length < 2) return close();
  const found = known(typed) ?? await ask(typed);
  if (!found || asked !== typed || document.activeElement !== field) return;
  rows = found;
  if (!rows.length) return close();
  list.replaceChildren(...rows.map(option));
  field.after(list);
  field.setAttribute("aria-expanded", "true");
  mark(-1);
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-drug]") || !event.isTrusted) return;
  field = event.target;
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-controls", list.id);
  clearTimeout(timer);
  timer = setTimeout(() => search().catch(close), PAUSE_MS);
});
document.addEventListener("focusout", (event) => { if (event.target === field) close(); });
document.addEventListener("keydown", (event) => {
  if (event.target !== field || !rows.length) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    mark((chosen + steps[event.key] + rows.length) % rows.length);
  } else if (event.key === "Enter" || (event.key === "Tab" && chosen >= 0)) {
    choose(rows[Math.max(chosen, 0)]);
  } else if (event.key === "Escape") {
    close();
  } else return;
  event.preventDefault();
  event.stopImmediatePropagation();
});
