"""An error as FHIR tells it: an OperationOutcome, with FHIR's own code where it has one."""

from typing import Any

FHIR_JSON = "application/fhir+json"
# By our own code; the values are of http://hl7.org/fhir/issue-type.
ISSUES = {
    "parse_error": "structure",
    "invalid": "invalid",
    "bad_key": "value",
    "not_authenticated": "login",
    "authentication_failed": "login",
    "no_right": "forbidden",
    "notice_needed": "forbidden",
    "permission_denied": "forbidden",
    "not_found": "not-found",
    "method_not_allowed": "not-supported",
    "not_acceptable": "not-supported",
    "unsupported_media_type": "not-supported",
    "moved": "conflict",
    "in_progress": "conflict",
    "key_reused": "duplicate",
    "too_big": "too-long",
    "throttled": "throttled",
    "unavailable": "transient",
    "error": "exception",
}


def outcome(error: dict[str, Any]) -> dict[str, Any]:
    """Of {"code", "message", "fields"}."""
    said = [f"{name}: {words}" for name, words in error.get("fields", {}).items()]
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": ISSUES.get(error["code"], "processing"),
                "details": {"text": error["message"]},
                "diagnostics": "; ".join([error["code"], *said]),
            }
        ],
    }
