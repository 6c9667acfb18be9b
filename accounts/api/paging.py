from typing import Any

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    page_size = 30
    page_size_query_param = "page_size"
    max_page_size = 100
    cursor_query_param = "cursor"
    ordering = "-pk"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "description": "One page of a long list, newest first.",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": address | {"description": "Address of the older rows; null on the last."},
                "previous": address
                | {"description": "Address of the newer rows; null on the first."},
                "results": schema | {"description": "The rows of this page."},
            },
        }
