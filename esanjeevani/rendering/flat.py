"""Templates laid flat: frame and parts are inlined when a page's template is read, once in each language.

Django puts a page together whenever it is shown: it looks for the frame, fills its blocks, fetches each
part, translates each sentence. Which ones a page has is known when it is read, and so it is done then.
What is left is text with places in it, and the lighter nodes of nodes.py at these.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.template import Context, Node, Origin, Template, engines
from django.template.base import Lexer, NodeList, Parser, TextNode, Token, TokenType
from django.template.loaders import cached
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override

from esanjeevani.rendering.nodes import Expression, lighter

Tokens = list[Token]
SUPER = "block.super"


def _says(pattern: str, token: Token) -> tuple[str, ...]:
    """What the groups of the pattern are in a tag that it fits; nothing in any other."""
    fits = token.token_type is TokenType.BLOCK and re.fullmatch(pattern, token.contents)
    return (fits[0], *fits.groups("")) if fits else ()


is_framed = partial(_says, "extends .+")
is_load = partial(_says, "load .+")
is_frame = partial(_says, r"""extends ["']([\w/.-]+)["']""")
is_part = partial(_says, r"""include ["']([\w/.-]+)["'](?: (with .+(?<! only)))?""")
is_block = partial(_says, r"block (\S+)")
is_end = partial(_says, r"endblock(?: \S+)?")


class Flat(NodeList):
    """The nodes of a template that was laid flat, or of a branch in it."""

    def render(self, context: Context) -> SafeString:
        """As Django's, which also notes for DEBUG at which node something failed."""
        return SafeString(
            "".join([one if isinstance(one, str) else one(context) for one in self._parts])
        )

    @cached_property
    def _parts(self) -> list[Any]:
        """Each text, and of each other node what shows it."""
        return [one.s if type(one) is TextNode else one.render for one in self]


class Loader(cached.Loader):
    """Django's, which keeps what it has read; in each language, and flat."""

    def cache_key(self, template_name: str, skip: list[Origin] | None = None) -> str:
        key = super().cache_key(template_name, skip)
        return f"{get_language()} {'frame' if skip else 'page'} {key}"

    def get_template(self, template_name: str, skip: list[Origin] | None = None) -> Template:
        """With `skip` it is a frame that Django puts around a page: Django's, as all are in DEBUG."""
        template = super().get_template(template_name, skip)
        if not (skip or self.engine.debug or isinstance(template.nodelist, Flat)):
            template.nodelist = self._laid_flat(template)
        return template

    def _laid_flat(self, template: Template) -> Flat:
        tokens = self._whole(template)
        if not any(map(is_framed, tokens)):
            tokens = [one for one in tokens if not (is_block(one) or is_end(one))]
        tags, always = self.engine.template_libraries, self.engine.template_builtins
        return Reader(tokens, tags, always, template.origin).parse()

    def _whole(self, template: Template) -> Tokens:
        """With its parts and in its frame; the blocks are still marked, for pages whose frame it is."""
        tokens = list(self._with_parts(template))
        names = [said[1] for one in tokens if (said := is_frame(one))]
        if not names or names == [template.name]:  # of the same name in another folder: Django's
            return tokens
        frame = self._whole(super().get_template(names[0]))
        if any(map(is_framed, frame)):
            return tokens
        return [*filter(is_load, tokens), *_filled(frame, dict(_blocks(tokens)))]

    def _with_parts(self, template: Template, *within: str) -> Iterator[Token]:
        """A part with blocks or a frame of its own stays one, and one that has itself as a part."""
        for token in Lexer(template.source).tokenize():
            if (part := is_part(token)) and part[1] not in within:
                found = super().get_template(part[1])
                tokens = list(self._with_parts(found, *within, part[1]))
                if not any(is_block(one) or is_framed(one) for one in tokens):
                    yield from _with_values(part[2], tokens, token)
                    continue
            yield token


class Reader(Parser):
    """Django's parser. What is the same for everybody becomes text, and text beside text is one."""

    def parse(self, parse_until: Iterable[str] | None = None) -> Flat:
        """Of the whole, and of each branch that a tag asks for."""
        return Flat(super().parse(parse_until))

    def compile_filter(self, token: str) -> Expression:
        return Expression(token, self)

    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        node = lighter(node)
        before = nodelist[-1] if nodelist else None
        if isinstance(node, TextNode) and isinstance(before, TextNode):
            before.s += node.s
        else:
            super().extend_nodelist(nodelist, node, token)


def read_all() -> None:
    """Every page in each language, before the first who opens one waits for that."""
    engine: Any = engines["django"]
    for language, _name in settings.LANGUAGES:
        with override(language):
            for folder in engine.dirs:
                for page in sorted(folder.rglob("*.html")):
                    engine.get_template(str(page.relative_to(folder)))


def _with_values(values: str, part: Tokens, token: Token) -> Tokens:
    """`{% include "part" with a=b %}` is `{% with a=b %}`, the part, `{% endwith %}`."""
    if not values:
        return part
    tag = partial(Token, TokenType.BLOCK, position=token.position, lineno=token.lineno)
    return [tag(values), *part, tag("endwith")]


def _blocks(tokens: Tokens) -> Iterator[tuple[str, Tokens]]:
    """Each block with what stands in it, its end too."""
    for at, token in enumerate(tokens, 1):
        if block := is_block(token):
            yield block[1], _to_end(iter(tokens[at:]))


def _filled(frame: Tokens, blocks: dict[str, Tokens]) -> Iterator[Token]:
    """The frame with what the page's blocks say, in which `{{ block.super }}` is what the frame says."""
    rest = iter(frame)
    for token in rest:
        yield token
        if block := is_block(token):
            own = _to_end(rest)
            said: Tokens = []
            for one in blocks.get(block[1], own):
                said += own[:-1] if one.contents == SUPER else [one]
            yield from _filled(said, blocks)


def _to_end(rest: Iterator[Token]) -> Tokens:
    """What stands in a block that has just begun, its end too."""
    read, begun = [], 1
    for token in rest:
        read.append(token)
        begun += bool(is_block(token)) - bool(is_end(token))
        if not begun:
            break
    return read
