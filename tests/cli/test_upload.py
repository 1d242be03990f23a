from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cli import run
from support.moto import give_credentials, moto_server
from support.wheels import make_wheel
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

GENERIC = "foo-1.0-py3-none-manylinux_2_28_x86_64.whl"
LABELLED = GENERIC.replace(".whl", "-cu128.whl")


def metadata(lower_bound: str, label: str = "cu128") -> VariantsMetadata:
    properties = Properties.parse([f"nvidia :: cuda_version_lower_bound :: {lower_bound}"])
    return VariantsMetadata(("nvidia",), {label: properties}, {"nvidia": KNOWN_PROVIDERS["nvidia"]})


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "wheelhouse"
    make_wheel(folder, GENERIC)
    make_wheel(folder, LABELLED, variant=metadata("12.8"))
    return folder


def upload(folder: Path, *arguments: str) -> tuple[int, dict[str, object], str]:
    result = run("upload", str(folder), "--split", "large-to-s3", *arguments, "--format", "json")
    table = json.loads(result.stdout)["releases"][0] if result.stdout else {}
    return result.code, table, result.stderr


def test_a_dry_run_prints_the_plan_and_writes_nothing(wheelhouse: Path) -> None:
    code, table, _ = upload(wheelhouse, "--extra-index", "file:index", "--repository-url", "file:repo", "--dry-run")
    assert code == 0
    places = {item["file"]: item["destination"] for item in table["files"]}  # type: ignore[attr-defined]
    assert places == {GENERIC: "repository", LABELLED: "extra-index"}
    assert table["published"] is None
    assert not Path("index").exists()
    assert not Path("repo").exists()


def test_pages_lie_under_the_root_and_list_every_wheel(wheelhouse: Path) -> None:
    code, table, _ = upload(wheelhouse, "--extra-index", "file:index", "--repository-url", "file:repo")
    assert code == 0
    assert table["published"]["changed"] is True  # type: ignore[index]
    listed = {
        file["filename"] for file in json.loads(Path("index/foo/index.json").read_text(encoding="utf-8"))["files"]
    }
    assert {GENERIC, LABELLED, "foo-1.0-variants.json"} <= listed
    assert Path("index/foo", LABELLED).read_bytes() == (wheelhouse / LABELLED).read_bytes()
    assert not Path("index/foo", GENERIC).exists()
    assert Path("repo/foo", GENERIC).exists()


def test_without_a_repository_everything_goes_to_the_extra_index(wheelhouse: Path) -> None:
    code, _, error = upload(wheelhouse)
    assert code == 0
    assert "no repository is named" in error
    assert Path("dist-index/foo", GENERIC).exists()
    assert Path("dist-index/foo", LABELLED).exists()


def test_the_text_form_says_what_went_where_and_then_that_nothing_is_to_do(wheelhouse: Path) -> None:
    command = ("upload", str(wheelhouse), "--split", "large-to-s3", "--no-repository")
    first, second = run(*command), run(*command)
    assert "extra-index, 2 files: there is no repository\n" in first.stdout
    assert "2 files sent" in first.stdout
    assert "nothing to do" in second.stdout


def test_other_bytes_under_a_published_name_stop_before_anything_is_sent(wheelhouse: Path) -> None:
    assert upload(wheelhouse, "--no-repository")[0] == 0
    before = Path("dist-index/foo/index.json").read_bytes()
    make_wheel(wheelhouse, GENERIC, files={"foo.py": b"changed\n"})
    make_wheel(wheelhouse, GENERIC.replace("manylinux_2_28_x86_64", "win_amd64"))
    code, _, error = upload(wheelhouse, "--no-repository")
    assert code == 1
    assert GENERIC in error
    assert Path("dist-index/foo/index.json").read_bytes() == before


def test_two_meanings_of_one_label_are_refused(wheelhouse: Path) -> None:
    make_wheel(wheelhouse, LABELLED.replace("manylinux_2_28_x86_64", "win_amd64"), variant=metadata("12.6"))
    for result in (run("upload", str(wheelhouse), "--no-repository"), run("metadata", str(wheelhouse))):
        assert result.code == 1
        assert "label 'cu128' means two things" in result.stderr
    assert run("check", str(wheelhouse)).code == 1
    assert not Path("dist-index").exists()


def test_what_the_index_lists_already_is_part_of_the_selector_file(wheelhouse: Path, tmp_path: Path) -> None:
    assert upload(wheelhouse, "--no-repository")[0] == 0
    later = tmp_path / "later"
    make_wheel(later, GENERIC.replace(".whl", "-cu130.whl"), variant=metadata("13.0", "cu130"))
    assert upload(later, "--no-repository")[0] == 0
    variants = json.loads(Path("dist-index/foo/foo-1.0-variants.json").read_text(encoding="utf-8"))["variants"]
    assert set(variants) == {"cu128", "cu130"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--extra-index", "ftp://x"], 2, "s3://BUCKET/PREFIX"),
        (["--extra-index", "s3://"], 2, "s3://BUCKET/PREFIX"),
        (["--repository", "pypi", "--no-repository"], 2, "two repositories"),
        (["--split", "by-colour"], 2, "by-colour"),
        (["--repository", "nowhere-at-all"], 1, "nowhere-at-all"),
    ],
)
def test_a_mistake_is_one_sentence(
    wheelhouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, message: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    result = run("upload", str(wheelhouse), *arguments)
    assert result.code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_views_are_planned_made_and_told(wheelhouse: Path) -> None:
    command = ("--no-repository", "--views", "file:views", "--views-url", "https://wheels.example.org/views")
    local = GENERIC.replace("1.0", "1.0+cu128")
    code, table, _ = upload(wheelhouse, *command, "--dry-run")
    assert code == 0
    assert not Path("views").exists()
    view = table["views"][0]  # type: ignore[index]
    [file] = view["files"]
    assert (view["view"], view["url"], view["changes"]) == ("cu128", "https://wheels.example.org/views/cu128", True)
    assert (file["file"], file["destination"], file["made-of"]) == (local, "view", LABELLED)
    told = run("upload", str(wheelhouse), *command)
    assert "view cu128: 1 file sent" in told.stdout
    assert "users of cu128: pip install --extra-index-url https://wheels.example.org/views/cu128 foo" in told.stdout
    assert Path("views/cu128/foo", local).exists()
    again, table, _ = upload(wheelhouse, *command)
    assert again == 0
    assert table["published"]["changed"] is False  # type: ignore[index]
    assert table["published"]["views"][0]["skipped"] == [local]  # type: ignore[index]


def test_a_local_version_without_a_view_is_refused(wheelhouse: Path) -> None:
    Path("pyproject.toml").write_text("[tool.variant-publish.variants.cu128]\n", encoding="utf-8")
    make_wheel(wheelhouse, GENERIC.replace("1.0", "1.0+cu128"))
    result = run("upload", str(wheelhouse), "--repository-url", "file:repo", "--dry-run")
    assert result.code == 2
    assert "as a local version" in result.stderr
    assert "--views" in result.stderr


@pytest.mark.slow
def test_no_credentials_and_no_bucket_are_said(wheelhouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_credentials(monkeypatch)
    with moto_server() as moto:
        arguments = ("--no-repository", "--endpoint-url", moto.endpoint_url)
        result = run("upload", str(wheelhouse), "--extra-index", "s3://not-there/simple", *arguments)
        assert result.code == 1
        assert "not-there" in result.stderr
        assert "bucket" in result.stderr
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    result = run("upload", str(wheelhouse), "--extra-index", "s3://wheels/simple", "--no-repository")
    assert result.code == 1
    assert "credentials" in result.stderr
    assert "Traceback" not in result.stderr
