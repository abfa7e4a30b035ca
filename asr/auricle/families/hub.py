"""Models on the Hugging Face Hub, kept in its usual cache (HF_HOME, HF_HUB_OFFLINE)."""

import re
from pathlib import Path
from types import ModuleType

from auricle.errors import DownloadError, ModelError, UnknownModelError
from auricle.families.ctranslate2 import MODEL_BIN, is_ct2
from auricle.families.description import CONFIG
from auricle.families.weights import INDEX, MODEL, SHARDS, weight_files
from auricle.tokenizer.folder import LISTS, has_vocabulary

_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_FILES = [  # what is read, and no more: repositories hold weights of other dtypes and frameworks
    *(CONFIG, "generation_config.json", "preprocessor_config.json"),
    *("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json"),
    *(MODEL, INDEX, SHARDS),
    *(MODEL_BIN, *LISTS),  # of CTranslate2
]
_MISSING = "the Hub needs the package huggingface_hub: pip install 'auricle[hub]'"


def is_hub_name(model: str) -> bool:
    """Whether it reads like `openai/whisper-tiny`, maybe with `@` and a revision."""
    return _NAME.fullmatch(model) is not None


def hub_folder(model: str) -> Path:
    """The folder of a model in the cache, downloaded where it is not there yet.

    Args:
        model: `owner/name`, or `owner/name@revision` for a branch, a tag or a commit.

    Raises:
        UnknownModelError: the Hub has no such model or revision, or it is not open to everybody.
        DownloadError: no network, no room on the disk, no huggingface_hub.
    """
    try:
        folder = Path(_snapshot(model, offline=True))
    except UnknownModelError:
        return pull(model)
    return folder if _is_whole(folder) else pull(model)


def pull(model: str) -> Path:
    """Download what is new of a model, with a progress bar; raises as `hub_folder` does.

    Each file is checked by the Hub's checksum and takes its name only once it is whole.
    """
    try:
        return Path(_snapshot(model, offline=False))
    except (DownloadError, KeyboardInterrupt):
        _clean(model)
        raise


def _snapshot(model: str, *, offline: bool) -> str:
    hub, errors = _package()
    name, revision = _parsed(model)
    try:
        folder: str = hub.snapshot_download(
            name, revision=revision, allow_patterns=_FILES, local_files_only=offline
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise UnknownModelError(
            f"the Hub has no model {model}, or it is not open to you: "
            "check its name and, where it is gated, HF_TOKEN"
        ) from error
    except errors.LocalEntryNotFoundError as error:
        if offline:
            raise UnknownModelError(f"{model} is not in the cache") from error
        raise DownloadError(
            f"{model} is not in the cache and the Hub cannot be reached: check the network and "
            "HF_HUB_OFFLINE, or give the path of its folder"
        ) from error
    except errors.HFValidationError as error:
        raise UnknownModelError(f"{model!r} is no name of the Hub ({error})") from error
    except (OSError, RuntimeError, errors.HTTPError) as error:  # RuntimeError: hf_xet's
        raise DownloadError(
            f"{model} could not be downloaded ({error}): check the network and the room on the "
            "disk, then try again"
        ) from error
    return folder


def _parsed(model: str) -> tuple[str, str | None]:
    found = _NAME.fullmatch(model)
    if found is None:
        raise UnknownModelError(f"{model!r} is no name of the Hub: they read owner/name")
    return found["name"], found["revision"]


def _is_whole(folder: Path) -> bool:
    """Whether the download of a folder in the cache came to its end."""
    try:
        weights = [folder / MODEL_BIN] if is_ct2(folder) else weight_files(folder)
        parts = (folder / CONFIG, *weights)
        return all(path.is_file() for path in parts) and has_vocabulary(folder)
    except ModelError:
        return False


def _clean(model: str) -> None:
    """Drop what a download that broke off has left."""
    hub, _ = _package()
    name, _ = _parsed(model)
    cache = Path(hub.constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    for path in cache.glob("blobs/*.incomplete"):
        path.unlink(missing_ok=True)


def _package() -> tuple[ModuleType, ModuleType]:
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise DownloadError(_MISSING) from error
    return huggingface_hub, errors
