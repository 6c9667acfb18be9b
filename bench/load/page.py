"""An answer of the site, and its forms."""

import json
from dataclasses import dataclass
from typing import Any

import lxml.html


class Refused(Exception):
    """An answer that somebody who does everything right never gets."""


@dataclass
class Page:
    """One answer."""

    path: str
    status: int
    text: str
    _tree: Any = None

    @property
    def tree(self) -> Any:
        if self._tree is None:
            self._tree = lxml.html.document_fromstring(self.text or "<html></html>")
        return self._tree

    def find(self, attribute: str) -> Any:
        """The first element that carries the attribute, None when there is none."""
        found = self.tree.xpath(f"//*[@{attribute}]")
        return found[0] if found else None

    def form(self, action: str) -> dict[str, str]:
        """What the form whose action ends so would send, untouched. "": the page's own form."""
        for form in self.tree.forms:
            if form.method == "POST" and (form.action or self.path).endswith(action or self.path):
                sent = {name: value or "" for name, value in form.form_values()}
                # lxml takes a choice whose value is empty for one that has none.
                empty = form.xpath(".//input[@type='radio' and @checked and @value='']/@name")
                sent |= dict.fromkeys(map(str, empty), "")
                return {name: value for name, value in sent.items() if "__prefix__" not in name}
        raise Refused(f"{self.path} has no form for {action!r}")

    @property
    def refusal(self) -> str:
        """What a page that refuses says, as far as it is marked as an error."""
        marked = "//*[contains(@class, 'error') or contains(@class, 'errorlist')]"
        words = [" ".join(one.text_content().split()) for one in self.tree.xpath(marked)]
        return " | ".join(words)[:400] or " ".join(self.text.split())[:200]

    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def csrf(self) -> str:
        (field, *_others) = self.tree.xpath("//input[@name='csrfmiddlewaretoken']")
        return str(field.get("value"))
