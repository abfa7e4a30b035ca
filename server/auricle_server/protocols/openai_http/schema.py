"""The forms as OpenAPI describes them, for /openapi.json."""

from typing import Any, get_args

from auricle_server.protocols.openai_http.convert import GRANULARITIES, ResponseFormat

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
FORMATS = {"type": "string", "enum": [*get_args(ResponseFormat)], "default": "json"}
FIELDS: dict[str, dict[str, Any]] = {
    "file": {"type": "string", "format": "binary", "description": "Audio in any container."},
    "model": {**TEXT, "description": "The model that is served, or a name that stands for it."},
    "prompt": TEXT,
    "response_format": FORMATS,
    "temperature": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
}
TRANSCRIPTION_FIELDS = FIELDS | {
    "language": {**TEXT, "description": "A code such as en; detected when absent."},
    "languages[]": TEXTS,
    "keywords[]": {**TEXTS, "description": "Phrases to favour."},
    "hotwords": {**TEXT, "description": "Phrases to favour, with commas between."},
    "timestamp_granularities[]": {
        "type": "array",
        "items": {"type": "string", "enum": list(GRANULARITIES)},
        "default": ["segment"],
    },
    "include[]": {"type": "array", "items": {"type": "string", "enum": ["logprobs"]}},
    "stream": {"type": "boolean", "default": False},
}


def form_schema(fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Describe a form with `fields`, of which the file alone is required."""
    schema = {"type": "object", "properties": fields, "required": ["file"]}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
