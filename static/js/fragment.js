// HTML that this site's own server rendered, as a body of nodes. The one place where text becomes HTML.

const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("fragment", { createHTML: (html) => html })
  : { createHTML: (html) => html };

export async function fetchPart(url) {
  const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return parse(await answer.text());
}

export function parse(html) {
  return new DOMParser().parseFromString(policy.createHTML(html), "text/html").body;
}
