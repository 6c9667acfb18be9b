"""What stands in the places of a template: Django's own nodes, for fewer calls of Python functions.

Each says what Django's says, which a test compares; whatever is not plain (filters of a text, plurals,
`as`) is left to Django's.
"""

from collections.abc import Callable
from html import escape
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Node
from django.template.base import (
    FilterExpression,
    Parser,
    TextNode,
    VariableNode,
    render_value_in_context,
)
from django.template.defaulttags import CommentNode, CsrfTokenNode, LoadNode, URLNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch
from django.utils.safestring import SafeString
from django.utils.translation import gettext

NOTHING = object()
UNGROUPED = 1000  # a number of fewer digits is written alike in every language


class Expression(FilterExpression):
    """Django's; what a plain name stands for is found without four calls for each."""

    __slots__ = ("_names",)

    def __init__(self, token: str, parser: Parser) -> None:
        super().__init__(token, parser)
        is_plain = self.is_var and not self.filters
        self._names: tuple[str, ...] = (self.var.lookups or ()) if is_plain else ()

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        """What cannot be found or fails does so in Django's way."""
        if self._names and not self.var.translate:  # {% translate %} says so later
            try:
                value = _found(self._names, context)
            except (AttributeError, TypeError, ObjectDoesNotExist):
                value = NOTHING
            if value is not NOTHING:
                return value
        return super().resolve(context, ignore_failures)


def _found(names: tuple[str, ...], context: Context) -> Any:
    """What is called is called; as in Django not what changes data, nor a class that is meant itself."""
    value: Any = context
    for name in names:
        if value is context:
            value = context.get(name, NOTHING)
        elif hasattr(type(value), "__getitem__"):
            value = _item(value, name)
        else:
            value = getattr(value, name)
        if callable(value):
            if hasattr(value, "do_not_call_in_templates") or hasattr(value, "alters_data"):
                return NOTHING
            value = value()
    return value


def _item(value: Any, name: str) -> Any:
    try:
        return value[name]
    except (TypeError, AttributeError, KeyError, ValueError, IndexError):
        return getattr(value, name)


class Shown(VariableNode):
    """A value, escaped where it is not known to be safe. Most are text; the others are Django's to write."""

    def render(self, context: Context) -> str:
        return _shown(self.filter_expression.resolve(context), context)


def _shown(value: Any, context: Context) -> str:
    kind = type(value)
    if kind is str and context.autoescape:
        return escape(value)
    if kind is int and 0 <= value < UNGROUPED:
        return str(value)
    safe: str = value if kind is SafeString else render_value_in_context(value, context)
    return safe


class Sentence(Node):
    """A sentence with places in it. What stands in them is the page's."""

    child_nodelists = ()

    def __init__(self, node: BlockTranslateNode) -> None:
        self._values = node.extra_context
        text, self.places = node.render_token_list(node.singular)
        self._said = gettext(text)

    def render(self, context: Context) -> str:
        values = {name: value.resolve(context) for name, value in self._values.items()}
        return self._said % {
            place: _shown(values[place] if place in values else context.get(place, ""), context)
            for place in self.places
        }


class Address(Node):
    """The address of a page about a row: around its id an address stays the same."""

    child_nodelists = ()

    def __init__(self, node: URLNode) -> None:
        self._node = node
        self._around = ""  # the address with a %s for each id, once it is known

    def render(self, context: Context) -> str:
        ids = tuple([arg.resolve(context) for arg in self._node.args])
        for one in ids:
            if type(one) is not UUID:
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


class KeyOfForms(Node):
    """As Django's, without escaping what has nothing to escape (form_key.py)."""

    child_nodelists = ()

    def render(self, context: Context) -> str:
        key = str(context.get("csrf_token", ""))
        return f'<input type="hidden" name="csrfmiddlewaretoken" value="{key}">' if key else ""


def lighter(node: Node) -> Node:
    """The same for less; text, where it is the same for everybody who reads this language."""
    make = LIGHTER.get(type(node))
    return make(node) if make else node


def _once(node: Node) -> Node:
    try:
        return TextNode(node.render(Context()))
    except (NoReverseMatch, ValueError):  # where nobody comes by, it need not be there
        return node


def _words(node: TranslateNode) -> Node:
    about = node.message_context
    is_plain = _is_text(node.filter_expression) and (about is None or _is_text(about))
    return _once(node) if is_plain and not node.asvar else node


def _sentence(node: BlockTranslateNode) -> Node:
    if node.counter or node.message_context or node.asvar:
        return node
    sentence = Sentence(node)
    return sentence if sentence.places else _once(sentence)


def _address(node: URLNode) -> Node:
    if not _is_text(node.view_name) or node.kwargs or node.asvar:
        return node
    return Address(node) if node.args else _once(node)


def _file(node: StaticNode) -> Node:
    return _once(node) if _is_text(node.path) and node.varname is None else node


def _is_text(expression: FilterExpression) -> bool:
    """It stands in the template in quotes, and nothing is done to it."""
    said: Any = getattr(expression.var, "literal", expression.var)
    return isinstance(said, str) and not expression.filters


LIGHTER: dict[type[Node], Callable[[Any], Node]] = {
    VariableNode: lambda node: Shown(node.filter_expression),
    TranslateNode: _words,
    BlockTranslateNode: _sentence,
    URLNode: _address,
    StaticNode: _file,
    CsrfTokenNode: lambda _node: KeyOfForms(),
    LoadNode: _once,
    CommentNode: _once,
}
