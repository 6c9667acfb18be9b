// One medicine's row: "1-0-1" says how often, dose and days say how many, Enter goes on.

const COUNTED = ["tablet", "capsule", "sachet", "lozenge", "pessary"];
const HALVES = { "½": "1/2", "¼": "1/4", "¾": "3/4" };
const SHARES = { od: 1, bd: 2, tds: 3, qid: 4, hs: 1 };

function number(text) {
  const [whole, fraction] = text.trim().includes(" ") ? text.trim().split(/ +/) : ["0", text.trim()];
  const [top, bottom] = fraction.split("/");
  return Number(whole) + (bottom ? Number(top) / Number(bottom) : Number(top));
}

function parts(dose) {
  const plain = dose.replace(/[½¼¾]/g, (sign, at) => (/\d/.test(dose[at - 1] ?? "") ? ` ${HALVES[sign]}` : HALVES[sign]));
  const found = plain.split("-").map(number);
  return found.length >= 3 && found.length <= 4 && found.every((part) => part >= 0) && found.some(Boolean) ? found : null;
}

function say(row) {
  const field = (name) => row.querySelector(`[name$=-${name}]`);
  const pattern = parts(field("dose").value);
  if (pattern) {
    const often = pattern.filter(Boolean).length;
    const night = often === 1 && pattern.at(-1) > 0;
    field("frequency").value = night ? "hs" : ["od", "bd", "tds", "qid"][often - 1];
  }
  const plain = field("dose").value.trim().match(/^([\d./½¼¾ ]+?) *(tab(let)?s?|cap(sule)?s?)?$/i);
  const once = plain ? number(plain[1].replace(/[½¼¾]/g, (sign) => ` ${HALVES[sign]}`).trim()) : NaN;
  const aDay = pattern ? pattern.reduce((sum, part) => sum + part, 0) : once * (SHARES[field("frequency").value] ?? NaN);
  const count = Math.ceil(aDay * Number(field("days").value));
  const counted = COUNTED.includes(field("form").value) && count > 0;
  field("quantity").placeholder = counted ? String(count) : "";
}

document.addEventListener("input", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (row) say(row);
});
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row || event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  const fields = [...row.querySelectorAll("input, select")];
  const next = fields[fields.indexOf(event.target) + 1];
  if (event.ctrlKey || event.metaKey || !next) document.querySelector("[name=more]")?.click();
  else next.focus();
});
function sayAll() {
  for (const row of document.querySelectorAll("[data-medicines] [data-row]")) say(row);
}
document.addEventListener("swapped", sayAll);
sayAll();
