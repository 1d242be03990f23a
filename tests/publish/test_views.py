"""Views: an index for each variant, written with the release, whole or finished by the next run."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import pytest
from pypi_simple import ProjectPage

from support.moto import BUCKET, Moto, give_credentials, moto_server
from support.publishing import CONFIG, GENERIC, PLUS, SDIST, snapshot
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.progress import Advance
from variant_publish.publish.uploader import UploadResult
from variant_publish.publish.view_places import base_of_links, linked, views_address
from variant_publish.store.folder import LocalStore
from variant_publish.store.objects import Conflict, CreateOutcome, ignore

WINDOWS = GENERIC.replace("manylinux_2_28_x86_64", "win_amd64")
LOCAL = GENERIC.replace("1.0", "1.0+cu128")


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def config(root: Path, more: str = "", *, repository: bool = True) -> Config:
    lines = f'extra-index = "{(root / "extra").as_uri()}"\nviews = "{(root / "views").as_uri()}"\n{more}'
    return Config.parse(CONFIG + lines + (f'repository-url = "{(root / "pypi").as_uri()}"\n' if repository else ""))


def make(folder: Path, *names: str) -> Path:
    for name in names or (GENERIC, WINDOWS, PLUS):
        make_wheel(folder, name, headers=["Requires-Python: >=3.9,<4"])
    if not names:
        (folder / SDIST).write_bytes(b"a source distribution")
    return folder


def upload(folder: Path, settings: Config) -> UploadResult:
    [planned] = api.plan_upload([folder], settings, settings.upload)
    return api.upload(planned)


def links(place: Path) -> dict[str, Path]:
    """Follow every link of a project page, and compare the hashes; give the files by name."""
    path = place / "foo-bar/index.html"
    page = ProjectPage.from_html("foo-bar", path.read_text("utf-8"), base_url=path.resolve().as_uri())
    found = {}
    for package in page.packages:
        target = Path(url2pathname(urlsplit(urldefrag(urljoin(path.as_uri(), package.url)).url).path))
        assert hashlib.sha256(target.read_bytes()).hexdigest() == package.digests["sha256"]
        if package.has_metadata:
            metadata = target.with_name(unquote(target.name) + ".metadata").read_bytes()
            assert package.metadata_digests == {"sha256": hashlib.sha256(metadata).hexdigest()}
        found[package.filename] = target
    return found


@pytest.mark.parametrize("how", ["link", "copy", "no repository"])
def test_a_view_has_the_variant_and_links_what_it_does_not_serve(tmp_path: Path, how: str) -> None:
    more = f'generic = "{how}"\n' if how != "no repository" else ""
    done = upload(make(tmp_path / "dist"), config(tmp_path, more, repository=bool(more)))
    [view] = done.views
    assert (view.name, view.sent) == ("cu128", (LOCAL,))
    found = links(tmp_path / "views/cu128")
    assert set(found) == {LOCAL, WINDOWS, SDIST}
    assert found[LOCAL].parent == tmp_path / "views/cu128/foo-bar"
    assert found[WINDOWS].parent == tmp_path / ("pypi" if how == "link" else "extra") / "foo-bar"
    assert LOCAL not in links(tmp_path / "extra")
    if more:
        assert LOCAL not in links(tmp_path / "pypi")


def test_the_same_upload_again_changes_nothing(tmp_path: Path) -> None:
    settings = config(tmp_path)
    assert upload(make(tmp_path / "dist"), settings).changed
    before = snapshot(tmp_path)
    done = upload(tmp_path / "dist", settings)
    assert not done.changed
    assert [view.skipped for view in done.views] == [(LOCAL,)]
    assert snapshot(tmp_path) == before
    [planned] = api.plan_upload([tmp_path / "dist"], settings, settings.upload)
    assert not any(view.changes for view in planned.views)


def test_wheels_of_dialect_local_are_sent_as_they_are_and_to_the_view_only(tmp_path: Path) -> None:
    folder = make(tmp_path / "dist", GENERIC, WINDOWS, LOCAL)
    upload(folder, config(tmp_path))
    assert (tmp_path / "views/cu128/foo-bar" / LOCAL).read_bytes() == (folder / LOCAL).read_bytes()
    assert set(links(tmp_path / "extra")) == {GENERIC, WINDOWS}
    assert not (tmp_path / "pypi/foo-bar" / LOCAL).exists()


def test_a_repository_that_takes_variants_gets_no_local_version(tmp_path: Path) -> None:
    folder = make(tmp_path / "dist", GENERIC, LOCAL)
    settings = config(tmp_path, "repository-takes-variants = true\n")
    upload(folder, settings)
    assert [path.name for path in (tmp_path / "pypi/foo-bar").glob("*.whl")] == [GENERIC]
    without = config(tmp_path / "other", "repository-takes-variants = true\n")
    bare = UploadTable(repository_url=without.upload.repository_url, repository_takes_variants=True)
    with pytest.raises(UsageError, match="as a local version") as caught:
        api.plan_upload([folder], without, bare)
    assert LOCAL in caught.value.message
    assert "--views" in str(caught.value.hint)


def test_a_release_in_parts_completes_its_views(tmp_path: Path) -> None:
    settings = config(tmp_path)
    upload(make(tmp_path / "one", PLUS), settings)
    assert set(links(tmp_path / "views/cu128")) == {LOCAL}
    upload(make(tmp_path / "two", GENERIC, WINDOWS), settings)
    assert set(links(tmp_path / "views/cu128")) == {LOCAL, WINDOWS}
    upload(make(tmp_path / "three", PLUS.replace("cu128", "cu130")), settings)
    assert set(links(tmp_path / "views/cu130")) == {LOCAL.replace("cu128", "cu130"), WINDOWS}
    index = ProjectIndex.parse((tmp_path / "extra/foo-bar/index.json").read_bytes())
    assert index.views == {"1.0": {"cu128": "", "cu130": ""}}
    assert ProjectIndex.parse(index.dumps()) == index


def test_labels_that_are_no_local_versions_are_spelled_as_one(tmp_path: Path) -> None:
    plus = GENERIC.replace(".whl", "+x86_64_v3.whl")
    settings = Config.parse(
        f'[selectors.level.wheel_tags]\nv3 = ["x86_64_v3", ""]\n[variants.x86_64_v3]\n[upload]\n'
        f'extra-index = "{(tmp_path / "extra").as_uri()}"\nviews = "{(tmp_path / "views").as_uri()}"\n',
        "x.toml",
    )
    upload(make(tmp_path / "dist", GENERIC, plus), settings)
    assert set(links(tmp_path / "views/x86_64_v3")) == {GENERIC.replace("1.0", "1.0+x86.64.v3")}


def test_other_bytes_under_a_name_of_a_view_stop_everything(tmp_path: Path) -> None:
    settings = config(tmp_path)
    upload(make(tmp_path / "one"), settings)
    before = snapshot(tmp_path / "views"), snapshot(tmp_path / "extra")
    make_wheel(tmp_path / "two", LOCAL, files={"foo_bar.py": b"another build"})
    with pytest.raises(Conflict, match="in the view cu128"):
        upload(make(tmp_path / "two", GENERIC), settings)
    assert (snapshot(tmp_path / "views"), snapshot(tmp_path / "extra")) == before


def test_the_pages_name_the_commands(tmp_path: Path) -> None:
    upload(make(tmp_path / "dist"), config(tmp_path, 'views-url = "https://wheels.example.org/views"\n'))
    line = "pip install --extra-index-url https://wheels.example.org/views/cu128 foo-bar"
    own, page = (
        re.sub("<[^>]*>", "", (tmp_path / place / "foo-bar/index.html").read_text("utf-8"))
        for place in ("extra", "views/cu128")
    )
    assert line in own
    assert line in page
    assert "On a platform for which the variant is not built" in page
    assert "No special hardware" not in page


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_write_leaves_sound_views_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    folder = make(tmp_path / "dist")
    upload(folder, config(tmp_path / "whole"))
    expected = {path: digest for path, (digest, _) in snapshot(tmp_path / "whole").items()}
    cuts = 0
    for life in range(100):
        root = tmp_path / f"cut{life}"
        with monkeypatch.context() as patched:
            _let_die(patched, life, after=after)
            try:
                upload(folder, config(root))
            except KeyboardInterrupt:
                cuts += 1
            else:
                break
        for page in root.glob("*/**/foo-bar/index.html"):
            links(page.parents[1])
        upload(folder, config(root))
        assert {path: digest for path, (digest, _) in snapshot(root).items()} == expected
    assert cuts > 15


def _let_die(monkeypatch: pytest.MonkeyPatch, life: int, *, after: bool) -> None:
    """Let the folders of extra index and views die at the n-th write, before or after it has happened."""
    left = [life]
    create, swap = LocalStore.create, LocalStore.swap

    def die(store: LocalStore, *, now: bool) -> None:
        if now is after and store.folder.name != "pypi":
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

    def dying_create(
        self: LocalStore, key: str, source: Path | bytes, *, sha256: str, content_type: str, advance: Advance = ignore
    ) -> CreateOutcome:
        die(self, now=False)
        outcome = create(self, key, source, sha256=sha256, content_type=content_type, advance=advance)
        die(self, now=True)
        return outcome

    def dying_swap(
        self: LocalStore, key: str, content: bytes, *, etag: str | None, content_type: str, generation: int
    ) -> bool:
        die(self, now=False)
        done = swap(self, key, content, etag=etag, content_type=content_type, generation=generation)
        die(self, now=True)
        return done

    monkeypatch.setattr(LocalStore, "create", dying_create)
    monkeypatch.setattr(LocalStore, "swap", dying_swap)


def table(**settings: str) -> UploadTable:
    return UploadTable(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"views_url": "https://h/v/"}, "https://h/v"),
        ({"public_url": "https://h/a/simple/"}, "https://h/a/views"),
        ({"public_url": "https://h/other"}, ""),
        ({"public_url": "https://h/simple", "views": "s3://elsewhere/views"}, ""),
        ({}, ""),
    ],
)
def test_the_address_of_views_follows_from_that_of_the_extra_index_where_it_can(
    settings: dict[str, str], address: str
) -> None:
    places = {"extra_index": "s3://b/x/simple", "views": "s3://b/x/views", **settings}
    assert views_address(table(**places)) == address


def test_links_lead_to_the_extra_index_wherever_it_is() -> None:
    places = {"extra_index": "s3://b/simple", "views": "s3://b/views"}
    assert base_of_links(table(**places), "cu128", "foo") == "../../../simple/foo/"
    assert base_of_links(table(**places, public_url="https://h/s"), "cu128", "foo") == "https://h/s/foo/"
    assert base_of_links(table(extra_index="s3://a/simple", views="s3://b/v"), "cu128", "foo") is None
    hosted = IndexFile("foo-1.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl", "")
    assert linked(hosted, "../../../simple/foo/").url == "../../../simple/foo/foo-1.0-py3-none-any.whl"
    assert linked(hosted, "https://h/s/foo/").url == "https://h/s/foo/foo-1.0-py3-none-any.whl"
    elsewhere = IndexFile("x", "https://files.example.org/x", "")
    assert linked(elsewhere, None) == elsewhere
    with pytest.raises(UsageError, match="no view can link"):
        linked(hosted, None)


def test_files_that_no_view_could_link_are_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path, repository=False)
    upload_table = UploadTable(extra_index=settings.upload.extra_index, views="s3://bucket/views")
    give_credentials(monkeypatch)
    monkeypatch.setattr("variant_publish.publish.views.read_index", lambda store, project: None)
    with pytest.raises(UsageError, match="since the public address of the extra index is not known"):
        api.plan_upload([make(tmp_path / "dist")], settings, upload_table)
    same = UploadTable(extra_index="file:x", views="file:x/")
    with pytest.raises(UsageError, match="the extra index itself"):
        api.plan_upload([tmp_path / "dist"], settings, same)


def test_a_full_temporary_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("variant_publish.publish.view_apply.retag", full)
    with pytest.raises(VariantPublishError, match="has no room for") as caught:
        upload(make(tmp_path / "dist"), config(tmp_path))
    assert "TMPDIR" in str(caught.value.hint)


@pytest.mark.slow
def test_jobs_that_publish_parts_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    settings = config(tmp_path)
    upload(make(tmp_path / "first", GENERIC, WINDOWS), settings)
    parts = [
        make(tmp_path / f"{variant}-{python}", PLUS.replace("cu128", variant).replace("py3", python))
        for variant in ("cu128", "cu130")
        for python in ("cp311", "cp312", "cp313", "cp314")
    ]
    with ThreadPoolExecutor(len(parts)) as pool:
        done = list(pool.map(lambda part: upload(part, settings), parts))
    assert all(len(published.views) >= 1 for published in done)
    for variant in ("cu128", "cu130"):
        own = {name for name in links(tmp_path / "views" / variant) if "+" in name}
        wanted = LOCAL.replace("cu128", variant)
        assert own == {wanted.replace("py3", python) for python in ("cp311", "cp312", "cp313", "cp314")}
    index = ProjectIndex.parse((tmp_path / "extra/foo-bar/index.json").read_bytes())
    assert index.views == {"1.0": {"cu128": "", "cu130": ""}}
    assert not upload(parts[0], settings).changed


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Moto]:
    with moto_server() as server:
        give_credentials(monkeypatch)
        yield server


@pytest.mark.slow
def test_views_lie_in_a_bucket_too(moto: Moto, tmp_path: Path) -> None:
    lines = (
        f'extra-index = "s3://{BUCKET}/simple"\nviews = "s3://{BUCKET}/views"\nendpoint-url = "{moto.endpoint_url}"\n'
    )
    settings = Config.parse(f'{CONFIG}{lines}public-url = "{moto.endpoint_url}/{BUCKET}/simple"\n')
    assert upload(make(tmp_path / "dist"), settings).changed
    before = moto.snapshot()
    assert not upload(tmp_path / "dist", settings).changed
    assert moto.snapshot() == before
    master = json.loads(
        gzip.decompress(moto.client.get_object(Bucket=BUCKET, Key="views/cu128/foo-bar/index.json")["Body"].read())
    )
    assert {file["filename"]: file["url"] for file in master["files"]} == {
        LOCAL: LOCAL.replace("+", "%2B"),
        WINDOWS: f"{moto.endpoint_url}/{BUCKET}/simple/foo-bar/{WINDOWS}",
        SDIST: f"{moto.endpoint_url}/{BUCKET}/simple/foo-bar/{SDIST}",
    }
    assert master["_public-url"] == f"{moto.endpoint_url}/{BUCKET}/views/cu128"
    assert {"views/cu128/foo-bar/", "views/cu128/foo-bar/index.html"} <= before.keys()
