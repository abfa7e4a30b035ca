"""What models.toml says, as far as it can be checked without the Hub."""

import hashlib
import importlib
import re
from collections import Counter
from fnmatch import fnmatch

import pytest

from auricle.hub.known_models import find, known_models, nearest
from auricle.tokenizer.folder import LISTS, TOKENIZER
from benchmarks.real_weights import ALL, MissingWeightsError, RealWeights, folder

NAMES = (
    "tiny.en tiny base.en base small small.en medium medium.en large-v1 large-v2 large-v3 large "
    "turbo large-v3-turbo distil-small.en distil-medium.en distil-large-v2 distil-large-v3 "
    "distil-large-v3.5 moonshine-tiny moonshine-base whisper-tiny.en faster-whisper-large-v3"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_the_names_that_people_know(name: str) -> None:
    model = find(name)
    assert model is not None
    assert name.removeprefix("faster-").removeprefix("whisper-") in (model.name, *model.aliases)
    assert model.languages == ("en",) or len(model.languages) in (99, 100)
    assert (".en" not in name) or model.languages == ("en",)


def test_entries_are_complete() -> None:
    names = Counter(name for each in known_models() for name in (each.name, *each.aliases))
    assert set(names.values()) == {1}
    for model in known_models():
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", model.revision)
        assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in model.sums.values())
        assert all(file.size is None or file.size > 0 for file in model.files)
        files = {file.name for file in model.files}
        assert "config.json" in files
        assert sum(file.is_weights for file in model.files) == 1
        assert files & {TOKENIZER, *LISTS}


def test_a_size_is_that_of_all_files_or_unknown() -> None:
    sizes = {model.name: model.size for model in known_models()}
    assert sizes["tiny"] == 2_249 + 75_538_270 + 2_203_239 + 459_861
    assert sizes["distil-large-v2"] is None


@pytest.mark.parametrize("weights", ALL, ids=lambda weights: str(weights.name))
def test_published_files_have_these_sums(weights: RealWeights) -> None:
    try:
        source = folder(weights)
    except MissingWeightsError as missing:
        pytest.skip(str(missing))
    model = find(weights.name)
    assert model is not None
    for file in model.files:
        data = (source / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_repositories_are_those_of_faster_whisper() -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    theirs: dict[str, str] = importlib.import_module("faster_whisper.utils")._MODELS
    for name, repository in theirs.items():
        model = find(name)
        assert model is not None
        assert model.repository == repository
    ours = {model.name for model in known_models() if not fnmatch(model.name, "moonshine-*")}
    assert ours <= theirs.keys()


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("tinny.en", "tiny.en"),
        ("whisper-medum", "medium"),
        ("distill-large-v3", "distil-large-v3"),
        ("moonshine_base", "moonshine-base"),
        ("openai/wisper", None),
        ("klingon", None),
    ],
)
def test_the_nearest_name(mistyped: str, meant: str | None) -> None:
    assert find(mistyped) is None
    assert nearest(mistyped) == meant
