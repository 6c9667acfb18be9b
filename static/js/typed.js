// A form is there before its script, over a slow network by seconds. What was typed meanwhile is told once more.

export const isBox = (field) => field.matches("[type=checkbox], [type=radio]");

function isTyped(field) {
  if (isBox(field)) return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== (field.defaultValue ?? field.value); // a button has none
  const first = [...field.options].find((one) => one.defaultSelected) ?? field.options[0];
  return field.value !== first?.value;
}

export function retell(form) {
  for (const field of [...form.elements].filter(isTyped)) {
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  }
}
