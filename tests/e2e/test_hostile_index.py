"""Commands against an index that attacks: nothing is written outside, nothing foreign is read, one sentence is said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import run
from support.hostile import misbehaving, says
from support.wheels import make_wheel

GOOD = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
EVIL = (
    "/tmp/evil-1.0-py3-none-any.whl",  # noqa: S108
    "foo-1.0-a-b-c/../../../evil.whl",
    "foo-1.0-1/../../../evil-py3-none-any.whl",
    "..\\..\\foo-1.0-py3-none-any.whl",
    "foo-1.0-py3-none-any.whl\n::set-output name=x::y.whl",
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve one honest wheel, and the same bytes under names and addresses that lead elsewhere."""
    wheel = make_wheel(tmp_path / "honest", GOOD, files={"foo/__init__.py": b"pass\n"}).read_bytes()
    sha256 = hashlib.sha256(wheel).hexdigest()
    files: list[dict[str, object]] = [
        {"filename": name, "url": f"{number}.whl", "hashes": {"sha256": sha256}, "size": len(wheel)}
        for number, name in enumerate((*EVIL, GOOD))
    ]
    files += [
        {"filename": "foo-1.0-py3-none-any.whl", "url": url, "hashes": {"sha256": sha256}, "size": len(wheel)}
        for url in ("file:///etc/passwd", "file://host/share/x.whl", "\\\\host\\share\\x.whl", "ftp://host/x.whl")
    ]
    files.append({"filename": "foo-1.0-cp311-cp311-win_amd64.whl", "url": "5.whl", "hashes": {"sha256": "../../x"}})
    page = json.dumps({"meta": {"api-version": "1.0"}, "name": "foo", "files": files}).encode()
    answers = {f"/foo/{number}.whl": says(wheel, "application/octet-stream") for number in range(len(EVIL) + 1)}
    with misbehaving({"/foo/": says(page), **answers}) as address:
        yield address


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize(
    "command",
    [
        ("check", "foo==1.0"),
        ("check", "foo==1.0", "--outline"),
        ("check", "foo==1.0", "--deep", "--fast"),
        ("init", "--from", "foo==1.0", "--yes"),
        ("stub", "foo==1.0", "--output", "sdist"),
        ("select", "foo"),
    ],
    ids=" ".join,
)
def test_nothing_is_written_outside(
    command: tuple[str, ...], index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "pyproject.toml").write_text('[project]\nname = "foo"\nversion = "1.0"\n', encoding="utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = everything(tmp_path)
    result = run(*command, "--index", index)
    assert result.code in (0, 1), result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert "root:" not in result.stdout
    new = everything(tmp_path) - before
    assert not [path for path in new if not path.startswith(("here/", "temporary/"))]
    assert not [path for path in new if "evil" in path or "passwd" in path]
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert not Path("/tmp/evil-1.0-py3-none-any.whl").exists()  # noqa: S108  (the place that the index names)


def test_only_the_honest_wheel_is_checked(index: str) -> None:
    result = run("check", "foo==1.0", "--deep", "--fast", "--index", index, "--format", "json")
    (release,) = json.loads(result.stdout)["releases"]
    assert release["wheels"] == [GOOD]


def test_a_wheel_that_was_planted_in_the_cache_is_not_taken(tmp_path: Path) -> None:
    from variant_publish.archive.retag import Rewrite
    from variant_publish.formats.simple import IndexFile
    from variant_publish.remote.transport import IndexUnavailable
    from variant_publish.serve.wheel_cache import WheelCache

    wheel = make_wheel(tmp_path / "honest", GOOD.replace(".whl", "+cu128.whl"))
    cache = WheelCache(tmp_path / "cache")
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with misbehaving({"/x": says(wheel.read_bytes())}) as address:
        listed = IndexFile(wheel.name, f"{address}/x", sha256, wheel.stat().st_size)
        fetched = cache.fetch(listed)
        made = cache.made(fetched, Rewrite(drop_signatures=True))
        honest = made.read_bytes()
        made.write_bytes(b"planted")
        assert cache.made(fetched, Rewrite(drop_signatures=True)).read_bytes() == honest
        fetched.path.write_bytes(b"planted")
        with pytest.raises(IndexUnavailable, match="another SHA-256"):
            cache.fetch(listed)
