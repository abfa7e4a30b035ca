"""Lists the models in the cache of the Hugging Face Hub (HF_HOME), which programs share."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CachedRepoInfo, constants, scan_cache_dir
from huggingface_hub.errors import CacheNotFound
from huggingface_hub.file_download import repo_folder_name

from auricle.families import family_names
from auricle.families.folder import CONFIG, MODEL_BIN
from auricle.hub.known_models import KnownModel, known_models
from auricle.hub.reference import HubReference
from auricle.tokenizer.folder import LISTS
from auricle_types.errors import StorageError, UnknownModelError
from auricle_types.parsing import parse_json


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model in the cache; `known` where it is one with a short name, at its revision."""

    repository: str
    folder: Path
    size: int  # bytes
    known: KnownModel | None = None

    @property
    def name(self) -> str:
        """The name by which it is loaded."""
        return self.known.name if self.known else self.repository


def repository_folder(repository: str) -> Path:
    """Return where the cache keeps a repository, if it does."""
    name = repo_folder_name(repo_id=repository, repo_type="model")
    return Path(constants.HF_HUB_CACHE) / name


def snapshot_folder(model: KnownModel) -> Path:
    """Return where the cache keeps the files of a known model, if it does."""
    return repository_folder(model.repository) / "snapshots" / model.revision


def has_files(folder: Path, model: KnownModel) -> bool:
    """Whether all files of a known model are there."""
    return all((folder / file.name).is_file() for file in model.files)


def local_models() -> list[LocalModel]:
    """List the speech models in the cache by name; torch is not imported."""
    try:
        repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except CacheNotFound:
        return []
    found = (model for repository in repositories for model in _models_of(repository))
    return sorted(found, key=lambda model: model.name)


def remove(name: str) -> int:
    """Delete a model from the cache, in all revisions; returns the bytes that this freed.

    Raises:
        UnknownModelError: it is not in the cache.
        StorageError: it cannot be deleted.
    """
    folder = repository_folder(HubReference.of(name).repository)
    if not folder.is_dir():
        raise UnknownModelError(f"{name} is not in the cache: `auricle models list` shows what is")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StorageError(f"{folder} cannot be deleted ({error}): check its owner") from error
    return size


def _models_of(repository: CachedRepoInfo) -> Iterator[LocalModel]:
    """List each known model of a repository, or else its newest revision."""
    if repository.repo_type != "model":
        return
    size = repository.size_on_disk
    known = [
        model
        for model in known_models()
        if model.repository == repository.repo_id and has_files(snapshot_folder(model), model)
    ]
    for model in known:
        yield LocalModel(model.repository, snapshot_folder(model), size, model)
    newest = max(repository.revisions, key=lambda each: each.last_modified, default=None)
    if not known and newest is not None and _is_speech_model(newest.snapshot_path):
        yield LocalModel(repository.repo_id, newest.snapshot_path, size)


def _is_speech_model(folder: Path) -> bool:
    if (folder / MODEL_BIN).is_file():
        return any((folder / name).is_file() for name in LISTS)
    try:
        config = parse_json((folder / CONFIG).read_text(encoding="utf-8"))
        return config.get("model_type") in family_names()
    except (OSError, ValueError, AttributeError):
        return False
