from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Our own look of a form and of a field: label, hint, error, control."""

    form_template_name = "_form.html"
    field_template_name = "_field.html"
