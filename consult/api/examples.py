"""The examples in the OpenAPI document: one of each thing that is asked or answered."""

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "data" / "api_examples.json"


def with_examples(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Each example stands with the schema that it is of, by the name of the serializer."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for name, schema in result["components"]["schemas"].items():
        if example := examples.get(name.removesuffix("Request")):
            schema["examples"] = [example]
    return result
