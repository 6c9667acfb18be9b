"""The OpenAPI document, made of what the views say of themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from accounts.api.once import IDEMPOTENCY_KEY
from accounts.api.paging import Pages


class ErrorOutput(serializers.Serializer[Any]):
    """Every error has this shape."""

    code = serializers.CharField(help_text="For programs; one of those named with the operation.")
    message = serializers.CharField(
        help_text="For people, in the language of Accept-Language: what happened, what to do."
    )
    fields = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="What is wrong with which field, for bad input."
    )
    details = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()),
        required=False,
        help_text="What the code is about, as data: `refusals` and `warnings` of a prescription (as"
        " in a draft's `rules`), or the `people` whom a new patient looks like.",
    )


ERRORS = {
    400: "`parse_error` (not JSON), `invalid` (see `fields`), `bad_key`",
    401: "`not_authenticated`, `authentication_failed`",
    403: "Not for this kind of account: `notice_needed`, `doctors_only`, `health_workers_only`,"
    " `not_for_machines`, `no_right`, `permission_denied`",
    404: "`not_found`: it is not there, or not yours",
    405: "`method_not_allowed`",
    406: "`not_acceptable`",
    409: "`in_progress` (the first request with this key is at work)",
    413: "`too_big`",
    415: "`unsupported_media_type`",
    422: "`key_reused`: this Idempotency-Key was used for another request",
    429: "`throttled`; the header Retry-After says for how many seconds",
    503: "`unavailable`: the same request can be sent again after the seconds of Retry-After",
}


class Schema(AutoSchema):
    """Reads `inputs`, `outputs` and `refusals` of our views."""

    view: Any

    def is_ours(self) -> bool:
        return hasattr(self.view, "refusals")

    def get_tags(self) -> list[str]:
        return [self.view.tag or self.path.split("/")[3]]

    def get_operation_id(self) -> str:
        parts = [part for part in self.path.split("/")[3:] if part]
        names = [part.strip("{}").replace("-", "_").replace(".", "_") for part in parts]
        return "_".join([str(self.method).lower(), *names])

    def get_summary(self) -> str | None:
        return self._words().split("\n")[0].split(". ")[0] or None

    def get_description(self) -> str:  # type: ignore[override]
        return self._words()

    def _words(self) -> str:
        method = getattr(self.view, str(self.method).lower(), None)
        said = (getattr(method, "__doc__", "") or "") or (type(self.view).__doc__ or "")
        return "\n".join(line.strip() for line in said.strip().splitlines())

    def get_request_serializer(self) -> Any:
        return (
            self.view.inputs.get(self.method)
            if self.is_ours()
            else super().get_request_serializer()
        )

    def get_response_serializers(self) -> Any:
        if not self.is_ours():
            return super().get_response_serializers()
        output = self.view.outputs.get(self.method)
        success = self.view.statuses.get(str(self.method), 200)
        if output is None:
            found: dict[Any, Any] = {204: OpenApiResponse(description="Done.")}
        elif isinstance(output, dict):
            found = dict(output)
        else:
            found = {success: output(many=True) if self._is_list() or self._is_paged() else output}
        if self.view.is_polled and self.method == "GET":
            found[304] = OpenApiResponse(description="As you have it (If-None-Match).")
        return found | self._errors()

    def _is_list(self) -> bool:
        return self.method in self.view.lists

    def _is_list_view(self, serializer: Any = None) -> bool:
        if not self.is_ours():
            return bool(super()._is_list_view(serializer))
        wanted = self._is_list() or self._is_paged()
        return wanted and (serializer is None or isinstance(serializer, serializers.ListSerializer))

    def _is_paged(self) -> bool:
        return self.method == "GET" and bool(self.view.is_paged)

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_paginator(self) -> Any:
        return Pages() if self._is_paged() else None

    def _errors(self) -> dict[int, Any]:
        errors = dict(ERRORS)
        if self.view.refusals:
            errors[409] = ", ".join(f"`{code}`" for code in self.view.refusals) + ", " + errors[409]
        if self.method != "POST":
            del errors[422]
        example = OpenApiExample(
            "invalid",
            {
                "code": "invalid",
                "message": "Something in it is not right.",
                "fields": {"phone": ["This field is required."]},
            },
            status_codes=["400"],
        )
        return {
            status: OpenApiResponse(
                ErrorOutput, description=words, examples=[example] if status == 400 else []
            )
            for status, words in errors.items()
        }

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for one in found:
            what = one["name"].replace("_", " ")
            one.setdefault("description", f"Which {what}, by the id that answers give it.")
        return found

    def get_override_parameters(self) -> list[Any]:
        if not self.is_ours():
            return super().get_override_parameters()
        given = list(self.view.parameters.get(str(self.method), []))
        if self.method == "POST":
            given.append(
                OpenApiParameter(
                    IDEMPOTENCY_KEY,
                    {
                        "type": "string",
                        "minLength": 16,
                        "maxLength": 128,
                        "pattern": "^[A-Za-z0-9_-]{16,128}$",
                    },
                    OpenApiParameter.HEADER,
                    description="Random, per request. Sent again within a day, the first answer"
                    " comes again and nothing is done twice.",
                )
            )
        if self.view.is_polled and self.method == "GET":
            given.append(
                OpenApiParameter(
                    "If-None-Match",
                    str,
                    OpenApiParameter.HEADER,
                    description="The ETag of the answer that you have.",
                )
            )
        return given


def only_the_api(endpoints: list[Any]) -> list[Any]:
    """The document is about /api/v1/; the FHIR server describes itself in /fhir/metadata."""
    return [
        one for one in endpoints if hasattr(one[3].cls, "refusals") and one[0].startswith("/api/")
    ]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.who.BearerKey"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A person's token (`esp_…`) or a facility's machine key (`esm_…`).",
        }
