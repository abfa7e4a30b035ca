"""The models that can be chosen: what a server serves, what is on this machine, what has a name."""

from collections.abc import Iterator
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from tqdm import tqdm

from auricle_client import Model

Entry = dict[str, Any]  # of one model, as JSON has it
COLUMNS = ("STATE", "NAME", "SIZE", "PARAMETERS", "LANGUAGES", "LICENCE", "SOURCE")


def served(model: Model) -> Entry:
    """A model that a server serves."""
    languages = [model.language] if model.language else []
    return _entry("served", model.name, languages=languages) | asdict(model)


def local_and_known() -> Iterator[Entry]:
    """The models on this machine, then the others that have a short name; torch is not imported."""
    from auricle.hub.cache import local_models
    from auricle.hub.known_models import known_models

    yield _bundled()
    here = local_models()
    for model in here:
        fields = _published(model.known) if model.known else {"repository": model.repository}
        yield _entry("local", model.name, **fields | {"size": model.size}, folder=str(model.folder))
    for known in known_models():
        if known not in [model.known for model in here]:
            yield _entry("known", known.name, **_published(known))


def table(entries: list[Entry]) -> Iterator[str]:
    """A line for each, in columns under a header."""
    rows = [COLUMNS, *(_cells(entry) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def bytes_text(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{tqdm.format_sizeof(count)}B"


def _entry(state: str, name: str, **fields: Any) -> Entry:  # noqa: ANN401 - of JSON
    unknown: Entry = {"size": None, "parameters": None, "languages": [], "licence": None}
    return {"state": state, "name": name, **unknown, **fields}


def _published(known: Any) -> Entry:  # noqa: ANN401 - KnownModel, which is imported late
    return {
        "size": known.size,
        "parameters": known.parameters,
        "languages": list(known.languages),
        "licence": known.licence,
        "repository": known.repository,
        "revision": known.revision,
    }


def _bundled() -> Entry:
    """As its model card says."""
    path = Path(str(resources.files("auricle") / "assets" / "english.safetensors"))
    size = path.stat().st_size if path.is_file() else None
    return _entry(
        "local", "bundled", size=size, parameters=37_764_864, languages=["en"], licence="MIT"
    )


def _cells(entry: Entry) -> tuple[str, ...]:
    size, parameters, languages = (entry[key] for key in ("size", "parameters", "languages"))
    source = entry.get("repository") or " ".join(
        entry[key] for key in ("model_id", "device", "dtype") if key in entry
    )
    return (
        entry["state"],
        entry["name"],
        bytes_text(size) if size is not None else "-",
        f"{parameters / 1e6:.4g} M" if parameters is not None else "-",
        f"{len(languages)}" if len(languages) > 1 else "".join(languages) or "-",
        entry["licence"] or "-",
        source,
    )
