"""Parts of a page that are the same for many people: `{% kept "consult/_call_words.html" role=role %}`."""

from django import template

from esanjeevani.rendering.kept import kept

register = template.Library()
register.simple_tag(kept)
