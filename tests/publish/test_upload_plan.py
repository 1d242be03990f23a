"""Plans: every file has a place and a reason, and nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.publishing import GENERIC, PLUS, SDIST, make_release, selectors_of
from variant_publish.errors import UsageError
from variant_publish.formats.master import ProjectIndex, selector_entry
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.stage_state import StagedFile
from variant_publish.publish.placement import Destination, Transfer
from variant_publish.publish.upload_plan import Inventory, UploadPlan, make_plan
from variant_publish.publish.uploads import ReleaseFiles, uploads_of
from variant_publish.release.release import Release
from variant_publish.store.objects import Conflict

PYPI = 'repository = "pypi"\n'


def plan_of(
    release: Release, listed: ProjectIndex | None = None, there: tuple[IndexFile, ...] | None = (), **options: Any
) -> UploadPlan:
    settings = release.config.upload
    inventory = Inventory(listed, there, settings.extra_index, settings.repository)
    return make_plan(ReleaseFiles.of_release(release), settings, inventory, **options)


def entries(release: Release) -> list[IndexFile]:
    return [upload.entry for upload in uploads_of(release)]


def places(plan: UploadPlan) -> dict[str, tuple[str, str]]:
    return {item.file: (str(item.destination), str(item.transfer)) for item in plan.placements}


def test_variants_go_to_the_extra_index_and_the_rest_to_the_repository(tmp_path: Path) -> None:
    plan = plan_of(make_release(tmp_path, upload=PYPI, sdist=True))
    assert places(plan) == {
        PLUS: ("extra-index", "upload"),
        GENERIC: ("repository", "upload"),
        SDIST: ("repository", "upload"),
    }
    assert [item.file for item in plan.placements][-1] == SDIST
    assert plan.selectors == ("foo-bar-1.0-wheel-selector.toml",)
    assert plan.changes


def test_without_a_repository_everything_goes_to_the_extra_index(tmp_path: Path) -> None:
    plan = plan_of(make_release(tmp_path, sdist=True))
    assert {destination for destination, _ in places(plan).values()} == {"extra-index"}
    assert plan.table()["repository"] is None


@pytest.mark.parametrize(("limit", "destination"), [("1 B", "extra-index"), ("1 MB", "repository")])
def test_large_wheels_go_to_the_extra_index(tmp_path: Path, limit: str, destination: str) -> None:
    plan = plan_of(make_release(tmp_path, GENERIC, upload=f'{PYPI}large = "{limit}"\n'))
    (item,) = plan.placements
    assert item.destination == destination
    assert ("larger than 1 B" in item.reason) is (destination == "extra-index")


def test_a_repository_that_takes_variants_gets_them(tmp_path: Path) -> None:
    plan = plan_of(make_release(tmp_path, upload=f"{PYPI}repository-takes-variants = true\n"))
    assert {destination for destination, _ in places(plan).values()} == {"repository"}


def test_equal_files_are_skipped_and_a_listed_release_changes_nothing(tmp_path: Path) -> None:
    release = make_release(tmp_path, upload=PYPI)
    own = {entry.filename: entry for entry in entries(release)}
    linked = replace(own[GENERIC], url=f"https://files.example.org/{GENERIC}")
    texts = selectors_of(release).texts("foo-bar", "1.0")
    selectors = [selector_entry(name, text) for name, text in texts.items()]
    listed = ProjectIndex("foo-bar").updated((own[PLUS], linked), "1.0", selectors)
    plan = plan_of(release, listed, (linked,))
    assert {action for _, action in places(plan).values()} == {"skip"}
    assert not plan.changes
    # A repository that cannot be asked changes nothing either: what the page links was there.
    assert not plan_of(release, listed, None).changes
    # One that can be asked and lacks the file gets it.
    assert places(plan_of(release, listed, ()))[GENERIC] == ("repository", "upload")


def test_a_file_that_the_repository_has_stays_there(tmp_path: Path) -> None:
    release = make_release(tmp_path, GENERIC, upload=f'{PYPI}large = "1 B"\n')
    (entry,) = entries(release)
    plan = plan_of(release, None, (replace(entry, url="https://files.example.org/x"),))
    assert places(plan) == {GENERIC: ("repository", "skip")}
    assert plan.changes  # it is to be listed


def test_every_conflict_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    release = make_release(tmp_path, upload=PYPI)
    listed = ProjectIndex("foo-bar", (IndexFile(PLUS, PLUS, "00" * 32),))
    there = (IndexFile(GENERIC, "https://files.example.org/x", "11" * 32),)
    with pytest.raises(Conflict) as caught:
        plan_of(release, listed, there)
    assert PLUS in caught.value.message
    assert GENERIC in caught.value.message
    assert caught.value.hint


def test_an_index_without_hashes_is_no_conflict(tmp_path: Path) -> None:
    release = make_release(tmp_path, GENERIC, upload=PYPI)
    assert places(plan_of(release, None, (IndexFile(GENERIC, "https://h/x", ""),))) == {GENERIC: ("repository", "skip")}


def test_the_table_is_for_machines(tmp_path: Path) -> None:
    table = plan_of(make_release(tmp_path, upload=PYPI)).table()
    assert table["schema-version"] == 1
    assert table["repository"] == "pypi"
    assert table["extra-index"] == "file:dist-index"
    assert list(table["files"][0]) == ["file", "size", "sha256", "destination", "reason", "action"]
    assert table["changes"] is True


def test_an_unknown_rule_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="large-to-moon"):
        plan_of(make_release(tmp_path, upload='split = "large-to-moon"\n'))


def listing(release: Release, **urls: str) -> ProjectIndex:
    """Return an index that has the whole release; files are hosted unless an address is given for them."""
    names = {"generic": GENERIC, "plus": PLUS, "sdist": SDIST}
    links = {names[key]: url for key, url in urls.items()}
    files = [replace(entry, url=links.get(entry.filename, entry.url)) for entry in entries(release)]
    return ProjectIndex("foo-bar", tuple(files))


LINK = "https://files.example.org/packages/x.whl"


def test_a_file_that_is_linked_is_not_taken_for_one_that_is_hosted(tmp_path: Path) -> None:
    release = make_release(tmp_path, upload=PYPI + 'generic = "copy"\n')
    plan = plan_of(release, listing(release, generic=LINK), ())
    copies = [item for item in plan.to(Destination.EXTRA_INDEX) if item.file == GENERIC]
    assert [(item.transfer, item.is_listed) for item in copies] == [(Transfer.UPLOAD, False)]
    hosted = plan_of(release, listing(release), ())
    copies = [item for item in hosted.to(Destination.EXTRA_INDEX) if item.file == GENERIC]
    assert [(item.transfer, item.is_listed) for item in copies] == [(Transfer.SKIP, True)]


def test_a_variant_that_is_linked_and_gone_from_the_repository_is_sent_to_the_extra_index(tmp_path: Path) -> None:
    release = make_release(tmp_path, PLUS, upload=PYPI)
    assert places(plan_of(release, listing(release, plus=LINK), ())) == {PLUS: ("extra-index", "upload")}
    assert places(plan_of(release, listing(release), ())) == {PLUS: ("extra-index", "skip")}


def test_a_hosted_file_stays_where_it_is_though_the_repository_has_it_too(tmp_path: Path) -> None:
    release = make_release(tmp_path, PLUS, upload=PYPI)
    there = (replace(entries(release)[0], url=LINK),)
    assert places(plan_of(release, listing(release), there)) == {PLUS: ("extra-index", "skip")}
    assert places(plan_of(release, listing(release, plus=LINK), there)) == {PLUS: ("repository", "skip")}


def test_a_page_is_rewritten_where_only_the_selector_files_change(tmp_path: Path) -> None:
    release = make_release(tmp_path, PLUS)
    plan = plan_of(release, listing(release))
    assert {action for _, action in places(plan).values()} == {"skip"}
    assert plan.selectors_change
    assert plan.changes


def test_a_file_that_was_sent_and_never_listed_is_a_change(tmp_path: Path) -> None:
    release = make_release(tmp_path, GENERIC, upload=PYPI)
    there = (replace(entries(release)[0], url=LINK),)
    plan = plan_of(release, None, there)
    assert [(item.transfer, item.is_listed) for item in plan.placements] == [(Transfer.SKIP, False)]
    assert plan.changes
    assert not plan.selectors_change


def test_copies_are_made_by_the_store_and_the_repository_gets_its_share(tmp_path: Path) -> None:
    release = make_release(tmp_path, upload=PYPI, sdist=True)
    plan = plan_of(release, copies=True)
    found = [(item.file, str(item.destination), str(item.transfer)) for item in plan.placements]
    assert found == [
        (PLUS, "extra-index", "copy"),
        (GENERIC, "extra-index", "copy"),
        (GENERIC, "repository", "upload"),
        (SDIST, "extra-index", "copy"),
        (SDIST, "repository", "upload"),
    ]
    assert plan.to_repository() == {StagedFile("foo-bar", file) for file in (GENERIC, SDIST)}


def test_a_removed_name_is_refused_with_the_name_of_the_index(tmp_path: Path) -> None:
    release = make_release(tmp_path, PLUS)
    with pytest.raises(Conflict, match=r"file:dist-index: foo_bar.* was removed"):
        plan_of(release, ProjectIndex("foo-bar", removed=("1.0",)))
    plan_of(release, replace(listing(release), removed=("1.0",)))  # it is listed still


def test_attestations_are_published_only_where_it_is_asked_for(tmp_path: Path) -> None:
    release = make_release(tmp_path, GENERIC)
    assert plan_of(release).attested == ()


def test_what_lies_there_already_is_neither_moved_nor_sent(tmp_path: Path) -> None:
    release = make_release(tmp_path, upload=PYPI)
    there = tuple(replace(entry, url=LINK) for entry in entries(release) if entry.filename == GENERIC)
    plan = plan_of(release, listing(release, generic=LINK), there)
    assert StagedFile("foo-bar", GENERIC) not in plan.moved()
    assert StagedFile("foo-bar", PLUS) not in plan.moved()
    assert StagedFile("foo-bar", GENERIC) not in plan.to_repository()
    fresh = plan_of(release)
    assert StagedFile("foo-bar", PLUS) in fresh.moved()
    assert StagedFile("other", PLUS.replace("foo_bar", "other")) not in fresh.moved()
    assert StagedFile("foo-bar", SDIST) not in fresh.moved()
    assert StagedFile("foo-bar", GENERIC) in fresh.to_repository()
    assert StagedFile("other", GENERIC.replace("foo_bar", "other")) not in fresh.to_repository()
    assert StagedFile("foo-bar", PLUS) not in fresh.to_repository()


def test_one_file_that_is_missing_is_a_change(tmp_path: Path) -> None:
    release = make_release(tmp_path)
    texts = selectors_of(release).texts("foo-bar", "1.0")
    plus = [entry for entry in entries(release) if entry.filename == PLUS]
    listed = ProjectIndex("foo-bar").updated(plus, "1.0", [selector_entry(*item) for item in texts.items()])
    plan = plan_of(release, listed)
    assert not plan.selectors_change
    assert places(plan) == {PLUS: ("extra-index", "skip"), GENERIC: ("extra-index", "upload")}
    assert plan.changes
    assert plan.version == "1.0"
