// The patient's form: only the districts of the chosen state, the adult only for a child.

import { fetchPart } from "./fragment.js";
import { retell } from "./typed.js";

const ADULT = 18;
const RETRY_MS = 3000;
const form = document.querySelector("[data-patient]");
const { state, district, age, birth_date: birthDate } = form.elements;

async function showDistricts() {
  const asked = state.value;
  const page = await fetchPart(`${form.dataset.districts}?state=${encodeURIComponent(asked)}`).catch(() => null);
  if (asked !== state.value) return; // by keyboard one passes states on the way to one's own
  if (!page) {
    setTimeout(() => asked === state.value && showDistricts(), RETRY_MS);
    return;
  }
  const chosen = district.value;
  district.replaceChildren(...page.querySelectorAll("option"));
  district.value = chosen; // as it moves, the browser chooses one by itself
  if (district.selectedIndex < 0) district.selectedIndex = 0;
}

function showGuardian() {
  const born = Date.parse(birthDate.value);
  const years = age.value === "" ? (Date.now() - born) / (365.25 * 24 * 3600 * 1000) : Number(age.value);
  for (const name of ["guardian_name", "guardian_relation"]) {
    const field = form.elements[name];
    const isNeeded = years < ADULT || field.value !== "" || field.closest(".wrong");
    field.closest(".field").hidden = !isNeeded;
  }
}

state.addEventListener("change", showDistricts);
for (const field of [age, birthDate]) field.addEventListener("input", showGuardian);
showGuardian();
retell(form);
