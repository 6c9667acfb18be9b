// The patient's form: only the districts of the chosen state, the adult only for a child.

const ADULT = 18;
const form = document.querySelector("[data-patient]");
const { state, district, age, birth_date: birthDate } = form.elements;
const all = [...district.options];

function showDistricts() {
  const name = state.value ? `(${state.selectedOptions[0].text})` : "";
  const kept = all.filter((option) => !option.value || option.text.endsWith(name));
  const chosen = district.value;
  district.replaceChildren(...kept);
  district.value = kept.some((option) => option.value === chosen) ? chosen : "";
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
showDistricts();
showGuardian();
