"""Downloads models of the Hugging Face Hub into its usual cache (HF_HOME, HF_HUB_OFFLINE)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants, errors

from auricle.families.folder import CONFIG, INDEX, MODEL, MODEL_BIN, SHARDS, is_ct2
from auricle.families.weights import weight_files
from auricle.hub.by_hand import instructions
from auricle.hub.cache import has_files
from auricle.hub.checksums import verify
from auricle.hub.known_models import KnownModel
from auricle.hub.reference import HubReference, hint
from auricle.hub.transfer import can_fetch, fetch
from auricle.tokenizer.folder import LISTS, has_vocabulary
from auricle_types.errors import DownloadError, ModelError, UnknownModelError

_HTTP_ERROR: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]  # of its httpx
_FILES = [  # what is read, and no more: repositories hold weights of other dtypes and frameworks
    *(CONFIG, "generation_config.json", "preprocessor_config.json"),
    *("tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json"),
    *(MODEL, INDEX, SHARDS),
    *(MODEL_BIN, *LISTS),  # of CTranslate2
]


def hub_folder(model: str) -> Path:
    """Return the folder of a model in the cache, downloaded where it is not there yet.

    Args:
        model: a short name (known_models.py), `owner/name`, or `owner/name@revision`, where the
            revision is a branch, a tag or a commit.

    Raises:
        UnknownModelError: there is no such name, or the Hub has no such model or revision, or it is
            not open to everybody.
        DownloadError: no network, or no room on the disk.
        ChecksumMismatchError: a file that was downloaded is not what was published.
    """
    reference = HubReference.of(model)
    with _typed_errors(reference):
        folder = _cached(reference)
    return folder or pull(model)


def pull(model: str) -> Path:
    """Download what is new of a model, with a progress bar, and check it; raises as `hub_folder`.

    Weights are compared with their SHA-256: that of the registry, else the one that the Hub names.
    Of a short name nothing can be new, so that its files are checked even without a network.
    """
    reference = HubReference.of(model)
    known = reference.known
    with _typed_errors(reference):
        folder = (_cached(reference) if known else None) or _download(reference)
        verify(folder, known.sums if known else {})
    return folder


def _cached(reference: HubReference) -> Path | None:
    """Return the folder of a model in the cache, if all of it is there, without the network."""
    try:
        folder = _snapshot(reference, _files(reference), offline=True)
    except errors.LocalEntryNotFoundError:
        return None
    return folder if _is_whole(folder, reference) else None


def _download(reference: HubReference) -> Path:
    if reference.known is not None:
        _download_weights(reference, reference.known)
    folder = _snapshot(reference, _files(reference))
    if not _is_whole(folder, reference):  # older versions of the library return what there is
        raise DownloadError(
            f"{reference.name} is not whole in the cache: {instructions(reference)}"
        )
    return folder


def _download_weights(reference: HubReference, known: KnownModel) -> None:
    """Download the small files first: they show sooner whether the Hub can be reached."""
    weights = [file for file in known.files if can_fetch(file)]
    _snapshot(reference, [file.name for file in known.files if file not in weights])
    for file in weights:
        fetch(known, file)


def _files(reference: HubReference) -> list[str]:
    return [file.name for file in reference.known.files] if reference.known else _FILES


def _snapshot(reference: HubReference, files: list[str], *, offline: bool = False) -> Path:
    folder: str = huggingface_hub.snapshot_download(
        reference.repository,
        revision=reference.revision,
        allow_patterns=files,
        local_files_only=offline,
    )
    return Path(folder)


@contextmanager
def _typed_errors(reference: HubReference) -> Iterator[None]:
    name = reference.name
    try:
        yield
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise UnknownModelError(
            f"the Hub has no {reference.repository}, or it is not open to you; where it is gated, "
            f"check HF_TOKEN{'' if reference.known else hint(name)}"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise DownloadError(
            f"{name} is not in the cache and the Hub cannot be reached: check the network and "
            f"HF_HUB_OFFLINE, or {instructions(reference)}"
        ) from error
    except (OSError, RuntimeError, _HTTP_ERROR) as error:  # RuntimeError: hf_xet's
        raise DownloadError(
            f"{name} could not be downloaded ({error}): check the network, the room on the disk "
            f"and the rights in {constants.HF_HUB_CACHE}, then try again; what is there is kept"
        ) from error


def _is_whole(folder: Path, reference: HubReference) -> bool:
    """Whether the download of a folder in the cache came to its end."""
    if reference.known is not None:
        return has_files(folder, reference.known)
    try:
        weights = [folder / MODEL_BIN] if is_ct2(folder) else weight_files(folder)
        parts = (folder / CONFIG, *weights)
        return all(path.is_file() for path in parts) and has_vocabulary(folder)
    except ModelError:
        return False
