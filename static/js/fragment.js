// HTML that this site's own server rendered, as a body of nodes. The one place where text becomes HTML.

const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("fragment", { createHTML: (html) => html })
  : { createHTML: (html) => html };

export async function fetchPart(url) {
  const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return parse(await answer.text());
}

// Somebody is in it, or has typed in it: it is not taken away.
export function isInUse(place) {
  const typed = [...place.querySelectorAll("input[type=text], textarea")];
  return place.contains(document.activeElement) || typed.some((field) => field.value !== field.defaultValue);
}

export function parse(html) {
  return new DOMParser().parseFromString(policy.createHTML(html), "text/html").body;
}
