"""Views belong to a release that was staged or promoted too, and a yank reaches them."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from support.moto import BUCKET, Moto, sent_bodies
from support.publishing import CONFIG, GENERIC, PLUS
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.archive.retag import Rewrite
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.dialects.registry import dialect_of
from variant_publish.errors import UsageError
from variant_publish.index.masters import read_index
from variant_publish.index.verify import verify
from variant_publish.progress import SilentReporter
from variant_publish.publish.uploader import publish
from variant_publish.store.folder import LocalStore
from variant_publish.store.places import open_store

LOCAL = "foo_bar-1.0+cu128-py3-none-manylinux_2_28_x86_64.whl"
WINDOWS = "foo_bar-1.0-py3-none-win_amd64.whl"


class Place:
    def __init__(self, folder: Path) -> None:
        self.config = Config.parse(CONFIG)
        self.settings = UploadTable(extra_index=f"file:{folder / 'index'}", views=f"file:{folder / 'views'}")
        self.index, self.view = LocalStore(folder / "index"), LocalStore(folder / "views/cu128")

    def stage(self, folder: Path) -> None:
        for name in (GENERIC, PLUS, WINDOWS):
            make_wheel(folder / "dist", name)
        api.stage([folder / "dist"], "foo", self.config, self.settings)

    def listed(self, view: str = "cu128") -> dict[str, str | None]:
        """Return the files of the view, and why they are yanked."""
        index = read_index(LocalStore(self.view.folder.with_name(view)), "foo-bar")
        return {} if index is None else {file.filename: file.yanked for file in index.distributions}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_views_of_a_staged_release_come_with_it(place: Place, tmp_path: Path) -> None:
    place.stage(tmp_path)
    assert place.listed() == {}
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    (done,) = api.release(planned)
    assert [(view.name, view.copied, view.sent) for view in done.views] == [("cu128", (LOCAL,), ())]
    assert place.listed() == {LOCAL: None, WINDOWS: None}
    assert verify(place.view, deep=True).is_sound
    index = read_index(place.index, "foo-bar")
    assert index is not None
    assert list(index.views["1.0"]) == ["cu128"]


def test_a_view_that_is_there_is_not_made_again(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stage(tmp_path)
    planned = api.plan_staged("foo", place.config, place.settings, offline=True)
    with monkeypatch.context() as patch:
        patch.setattr("variant_publish.publish.listed_views.publish_views", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            api.release(planned)
    (again,) = api.release(api.plan_staged("foo", place.config, place.settings, offline=True))
    assert [view.name for view in again.views] == ["cu128"]
    other = Place(tmp_path)
    other.settings = UploadTable(extra_index=f"file:{tmp_path / 'second'}", views=f"file:{tmp_path / 'views2'}")
    plan = api.plan_promotion([("foo-bar", "1.0")], place.settings.extra_index, other.config, other.settings)
    (first,) = api.promote(plan)
    assert [view.sent for view in first.views] == [(LOCAL,)]
    (second,) = api.promote(plan)
    assert second.views == ()


def test_a_view_that_users_cannot_read_is_said_once(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.stage(tmp_path)
    settings = msgspec.structs.replace(place.settings, public_url="https://h/index", views_url="https://h/views")
    planned = api.plan_staged("foo", place.config, settings, offline=True)
    monkeypatch.setattr(
        "variant_publish.publish.destinations.fault_of_public_url", lambda _, address, *rest: f"{address} is shut"
    )
    said: list[str] = []
    reporter = SilentReporter()
    monkeypatch.setattr(reporter, "warn", said.append)
    (done,) = api.release(planned, reporter)
    assert said == ["https://h/index is shut", "https://h/views/cu128 is shut"]
    assert list(done.unreadable) == said
    assert not done.is_complete
    assert [view.command for view in done.views] == [""]


@pytest.mark.parametrize(
    ("targets", "reached"),
    [(("1.0",), {LOCAL, WINDOWS}), ((PLUS,), {LOCAL}), ((WINDOWS,), {WINDOWS}), ((GENERIC,), set())],
)
def test_a_yank_reaches_the_views_and_can_be_undone(
    place: Place, tmp_path: Path, targets: tuple[str, ...], reached: set[str]
) -> None:
    place.stage(tmp_path)
    api.release(api.plan_staged("foo", place.config, place.settings, offline=True))
    api.yank(place.settings, "foo-bar", targets, "wrong")
    assert {name for name, yanked in place.listed().items() if yanked == "wrong"} == reached
    api.unyank(place.settings, "foo-bar", targets)
    assert set(place.listed().values()) == {None}


def test_a_yank_of_one_wheel_leaves_the_views_of_other_variants(place: Place, tmp_path: Path) -> None:
    other = PLUS.replace("cu128", "cu130")
    folder = tmp_path / "both"
    for name in (PLUS, other):
        make_wheel(folder, name)
    api.upload(api.plan_upload([folder], place.config, place.settings)[0])
    api.yank(place.settings, "foo-bar", [other], "wrong")
    assert set(place.listed("cu130").values()) == {"wrong"}
    assert set(place.listed().values()) == {None}


class Preview:
    """What the pages of a stage show to testers: its own index, and the view in it."""

    def __init__(self, place: Place, folder: Path) -> None:
        place.settings = UploadTable(
            extra_index=f"file:{folder / 'index'}", views=f"file:{folder / 'views'}", stage=f"file:{folder / 'stages'}"
        )
        self.place = place
        self.folder = folder
        self.root = folder / "stages/foo"

    def stage(self, *names: str) -> api.StageResult:
        for name in names:
            make_wheel(self.folder / names[0], name)
        return api.stage([self.folder / names[0]], "foo", self.place.config, self.place.settings)[0]

    def links(self, name: str = ".views/cu128") -> dict[str, Path]:
        """Follow the links of a page to files that are there."""
        index = read_index(LocalStore(self.root / name), "foo-bar")
        urls = {file.filename: unquote(file.url) for file in index.distributions} if index is not None else {}
        return {file: (self.root / name / "foo-bar" / url).resolve(strict=True) for file, url in urls.items()}


@pytest.fixture
def preview(place: Place, tmp_path: Path) -> Preview:
    return Preview(place, tmp_path)


def test_testers_get_the_views_before_the_release(preview: Preview, tmp_path: Path) -> None:
    done = preview.stage(GENERIC, PLUS, WINDOWS)
    assert [(view.name, view.address) for view in done.views] == [("cu128", f"{preview.root.as_uri()}/.views/cu128")]
    assert preview.links() == {
        LOCAL: preview.root / ".views/cu128/foo-bar" / LOCAL,
        WINDOWS: preview.root / "foo-bar" / WINDOWS,
    }
    index = read_index(LocalStore(preview.root), "foo-bar")
    assert index is not None
    assert index.views == {"1.0": {"cu128": f"{preview.root.as_uri()}/.views/cu128"}}
    assert not (tmp_path / "index").exists()
    assert not (tmp_path / "views").exists()
    (out,) = api.release(api.plan_staged("foo", preview.place.config, preview.place.settings, offline=True))
    assert [(view.name, view.copied) for view in out.views] == [("cu128", (LOCAL,))]
    assert preview.place.listed() == {LOCAL: None, WINDOWS: None}
    assert [item.key for item in LocalStore(preview.root).keys("")] == ["state.json"]


@pytest.mark.parametrize("forged", [b"evil", None])
def test_a_wheel_of_a_view_that_a_job_has_forged_is_made_anew(preview: Preview, forged: bytes | None) -> None:
    preview.stage(GENERIC, PLUS)
    wheel = preview.root / ".views/cu128/foo-bar" / LOCAL
    content = wheel.read_bytes()
    wheel.write_bytes(content[:-1] + b"x" if forged is None else forged)
    (out,) = api.release(api.plan_staged("foo", preview.place.config, preview.place.settings, offline=True))
    assert [(view.copied, view.sent) for view in out.views] == [((), (LOCAL,))]
    assert (preview.place.view.folder / "foo-bar" / LOCAL).read_bytes() == content


@pytest.mark.slow
def test_a_release_sends_no_byte_of_a_wheel(moto: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, config = f"s3://{BUCKET}", Config.parse(CONFIG)
    settings = UploadTable(extra_index=f"{root}/simple", views=f"{root}/views", endpoint_url=moto.endpoint_url)
    for name in (GENERIC, PLUS, WINDOWS):
        make_wheel(tmp_path / "dist", name, files={"foo_bar.bin": os.urandom(10_000)})
    bodies = sent_bodies(monkeypatch)

    def sent() -> set[str]:
        """Return the names of the wheels of which bytes were sent."""
        return {name for key, size in bodies if size and (name := key.rpartition("/")[2]).endswith(".whl")}

    api.stage([tmp_path / "dist"], "foo", config, settings)
    assert sent() == {GENERIC, PLUS, WINDOWS, LOCAL}
    bodies.clear()
    (done,) = api.release(api.plan_staged("foo", config, settings, offline=True))
    assert sent() == set()
    assert set(done.copied) == {GENERIC, PLUS, WINDOWS}
    assert [view.copied for view in done.views] == [(LOCAL,)]
    for place in ("simple", "views/cu128"):
        with closing(open_store(f"{root}/{place}", endpoint_url=moto.endpoint_url)) as store:
            assert verify(store, deep=True).is_sound
            assert store.stat(f"foo-bar/{LOCAL if place != 'simple' else PLUS}") is not None


def test_a_local_version_is_not_staged_and_the_reason_is_said(preview: Preview) -> None:
    """The view of the stage has the very wheel, made of the variant in another dialect."""
    with pytest.raises(UsageError, match="every installer would prefer on any machine as soon as 'release' lists it"):
        preview.stage(LOCAL)
    assert not preview.root.exists()
    preview.stage(GENERIC, PLUS)
    wheel = preview.folder / GENERIC / PLUS
    made = api.retag([wheel], preview.folder / "local", [Rewrite(dialect_of("local"), ("cu128",))])
    assert made.done[0].path.read_bytes() == preview.links()[LOCAL].read_bytes()


def test_a_withdrawn_stage_leaves_no_view(preview: Preview) -> None:
    preview.stage(GENERIC, PLUS)
    assert sorted(api.abort_staged("foo", preview.place.settings)) == sorted([GENERIC, PLUS])
    assert list(LocalStore(preview.root).keys("")) == []


@pytest.mark.parametrize(("own", "other"), [(PLUS, WINDOWS), (WINDOWS, PLUS)])
def test_jobs_that_stage_at_once_complete_each_others_views(
    preview: Preview, monkeypatch: pytest.MonkeyPatch, own: str, other: str
) -> None:
    """Another job stages its wheel after this one has planned, and before it lists anything."""
    others = [other]

    def published(*arguments: Any, **options: Any) -> Any:
        if others:
            preview.stage(others.pop())
        return publish(*arguments, **options)

    monkeypatch.setattr("variant_publish.publish.stage.publish", published)
    preview.stage(own)
    assert set(preview.links()) == {LOCAL, WINDOWS}


def test_a_view_that_lies_elsewhere_is_not_begun_here(preview: Preview, tmp_path: Path) -> None:
    preview.stage(GENERIC, PLUS)
    views, settings = tmp_path / "elsewhere", preview.place.settings
    api.release(api.plan_staged("foo", preview.place.config, settings, offline=True))
    settings = msgspec.structs.replace(settings, views=f"file:{views}")
    for plan in api.plan_upload([make_wheel(tmp_path / "one", WINDOWS)], preview.place.config, settings):
        api.upload(plan)
    assert not views.exists() or list(LocalStore(views).keys("")) == []
