"""Resolves the name of a model to a repository on the Hub, at a revision."""

import re
from dataclasses import dataclass
from typing import Self

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from auricle.hub.known_models import KnownModel, find, nearest
from auricle_types.errors import UnknownModelError

_HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True)
class HubReference:
    """A model on the Hub; `known` where it is named by its short name."""

    name: str  # as the user wrote it
    repository: str
    revision: str | None = None  # a branch, a tag or a commit; None: the main branch
    known: KnownModel | None = None

    @classmethod
    def of(cls, model: str) -> Self:
        """Read `tiny.en`, `owner/name` or `owner/name@revision`.

        Raises:
            UnknownModelError: it is none of these; the message names the nearest known name.
        """
        known = find(model)
        if known is not None:
            return cls(model, known.repository, known.revision, known)
        found = _HUB_NAME.fullmatch(model)
        if found is None:
            raise UnknownModelError(f"there is no model {model!r}{hint(model)}")
        try:
            validate_repo_id(found["name"])
        except HFValidationError as error:
            raise UnknownModelError(f"{model!r} is no name of the Hub ({error})") from error
        return cls(model, found["name"], found["revision"])


def is_model_name(model: str) -> bool:
    """Whether it is a short name, or reads like one of the Hub."""
    return find(model) is not None or is_hub_name(model)


def is_hub_name(model: str) -> bool:
    """Whether it reads like `openai/whisper-tiny`, maybe with `@` and a revision."""
    return _HUB_NAME.fullmatch(model) is not None


def hint(model: str) -> str:
    """Say what to do about an unknown name, as the end of a sentence."""
    near = nearest(model)
    guess = f": did you mean {near}?" if near else ":"
    return f"{guess} `auricle models list` shows the known names, others are owner/name on the Hub"
