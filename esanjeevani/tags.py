"""Template tags that put together once what is the same each time: Django's own, under their own names.

A page says some thirty sentences and names some fifteen addresses. Each costs Django about ninety
calls of Python functions, and comes out as it did for the page before. Whatever is not plain (filters,
plurals, `as`) is left to Django's.
"""

from typing import Any
from uuid import UUID

from django.template import Context, Library, Node, Template
from django.template.base import (
    FilterExpression,
    NodeList,
    Parser,
    Token,
    render_value_in_context,
)
from django.template.defaulttags import URLNode, url
from django.template.loader_tags import ExtendsNode, do_extends
from django.templatetags.i18n import (
    BlockTranslateNode,
    TranslateNode,
    do_block_translate,
    do_translate,
)
from django.templatetags.static import StaticNode, do_static
from django.utils.translation import get_language, gettext

register = Library()


@register.tag("translate")
def words(parser: Parser, token: Token) -> Node:
    node: TranslateNode = do_translate(parser, token)
    about = node.message_context
    is_plain = _is_text(node.filter_expression) and (about is None or _is_text(about))
    return Words(node) if is_plain and not node.asvar else node


class Words(Node):
    """A text of the template, looked up once in each language."""

    child_nodelists = ()

    def __init__(self, node: TranslateNode) -> None:
        self._node = node
        self._in: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        said = self._in.get(language)
        if said is None:
            said = self._in[language] = self._node.render(context)
        return said


@register.tag("blocktranslate")
def sentence(parser: Parser, token: Token) -> Node:
    node: BlockTranslateNode = do_block_translate(parser, token)
    is_plain = not (node.counter or node.message_context or node.asvar)
    return Sentence(node) if is_plain else node


class Sentence(Node):
    """A sentence with places in it, looked up once in each language. What stands in them is the page's."""

    child_nodelists = ()

    def __init__(self, node: BlockTranslateNode) -> None:
        self._values = node.extra_context
        self._text, self._places = node.render_token_list(node.singular)
        self._in: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        said = self._in.get(language)
        if said is None:
            said = self._in[language] = gettext(self._text)
        values = {name: value.resolve(context) for name, value in self._values.items()}
        return said % {
            place: render_value_in_context(
                values[place] if place in values else context.get(place, ""), context
            )
            for place in self._places
        }


@register.tag("url")
def address(parser: Parser, token: Token) -> Node:
    node: URLNode = url(parser, token)
    is_plain = _is_text(node.view_name) and not node.kwargs and not node.asvar
    return Address(node) if is_plain else node


class Address(Node):
    """The address of a page of ours, or of one about a row: around its id an address stays the same."""

    child_nodelists = ()

    def __init__(self, node: URLNode) -> None:
        self._node = node
        self._around = ""  # the address with a %s for each id, once it is known

    def render(self, context: Context) -> str:
        ids = tuple(arg.resolve(context) for arg in self._node.args)
        if not all(type(one) is UUID for one in ids):
            return self._node.render(context)
        if self._around:
            return self._around % ids
        written = self._node.render(context)
        around = written.replace("%", "%%")
        for one in ids:
            around = around.replace(str(one), "%s", 1)
        if around.count("%s") == len(ids):  # a short link writes its id otherwise
            self._around = around
        return written


@register.tag("static")
def file(parser: Parser, token: Token) -> Node:
    node = do_static(parser, token)
    return File(node) if _is_text(node.path) and node.varname is None else node


class File(Node):
    """The address of a file of ours, which holds its fingerprint."""

    child_nodelists = ()

    def __init__(self, node: StaticNode) -> None:
        self._node = node
        self._address = ""

    def render(self, context: Context) -> str:
        if not self._address:
            self._address = self._node.render(context)
        return self._address


@register.tag("extends")
def frame(parser: Parser, token: Token) -> Node:
    node: ExtendsNode = do_extends(parser, token)
    return Framed(node.nodelist, node.parent_name)


class Framed(ExtendsNode):
    """A page in the frame of all pages. Django looks for the frame's blocks at each page anew."""

    def get_parent(self, context: Context) -> Template:
        parent: Template = super().get_parent(context)
        if not isinstance(parent.nodelist, Known):
            parent.nodelist = Known(parent.nodelist)
        return parent


class Known(NodeList):
    """Of a template, which stays as it is: looked through once."""

    def __init__(self, nodes: NodeList) -> None:
        super().__init__(nodes)
        self.contains_nontext = nodes.contains_nontext
        self._of: dict[type[Node], list[Node]] = {}

    def get_nodes_by_type(self, nodetype: type[Node]) -> list[Node]:
        found = self._of.get(nodetype)
        if found is None:
            found = self._of[nodetype] = super().get_nodes_by_type(nodetype)
        return found


@register.tag("csrf_token")
def key_of_forms(parser: Parser, token: Token) -> Node:
    del parser, token
    return KeyOfForms()


class KeyOfForms(Node):
    """As Django's, without escaping what has nothing to escape (form_key.py)."""

    child_nodelists = ()

    def render(self, context: Context) -> str:
        key = context.get("csrf_token", "")
        return f'<input type="hidden" name="csrfmiddlewaretoken" value="{key}">' if key else ""


def _is_text(expression: FilterExpression) -> bool:
    """It stands in the template in quotes, and nothing is done to it."""
    said: Any = getattr(expression.var, "literal", expression.var)
    return isinstance(said, str) and not expression.filters
