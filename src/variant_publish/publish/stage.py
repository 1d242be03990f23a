"""A release made on many machines: an index of its own that jobs fill and testers install from, released or aborted.

A stage `NAME` lies in `.staged/NAME/` of the extra index, or in a place of its own (`upload.stage`). It is an index
like the extra one, with views where the release has them, a summary `PROJECT/FILE.summary.json` beside each file and
`state.json` at its root. A summary is written after its file, so what has a summary is there.

The state changes by compare-and-swap alone: a release fixes the list of its files before it lists any, and an abort
closes the stage before it deletes any. Nothing of a stage lies outside it, so neither touches what is published.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec.structs import replace

from variant_publish.archive.wheel import SummaryWheel
from variant_publish.config.configuration import Config
from variant_publish.config.tables import TABLE, UploadTable
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.stage_state import (
    MOST_FILES,
    STATE_FILE,
    InvalidStage,
    StagedFile,
    StageState,
    Status,
)
from variant_publish.formats.summary import SUMMARY_SUFFIX, Summary
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import Destinations
from variant_publish.publish.placement import is_sdist
from variant_publish.publish.upload_plan import plan_release
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.release.release import Release, Sdist, releases_of
from variant_publish.store.objects import JSON, Conflict
from variant_publish.store.store import Store

VIEWS = ".views"
"""Where the views of a stage lie in it; no project has such a name."""

_AT_ONCE = 16
_ATTEMPTS = 20


class StageContents(msgspec.Struct, frozen=True):
    """What a stage has: its state, the files that belong to it with their summaries, and those that came too late."""

    state: StageState
    summaries: tuple[tuple[StagedFile, Summary], ...]
    late: tuple[str, ...] = ()

    @property
    def is_released(self) -> bool:
        """Return whether the extra index lists everything already."""
        return self.state.status is Status.RELEASED

    def releases(self, config: Config) -> tuple[Release, ...]:
        """Return the releases that the summaries describe; raise InvalidStage for a project that is not expected.

        One project is; several are where they are a declared family.
        """
        found = [summary for _, summary in self.summaries]
        projects = sorted({file.project for file, _ in self.summaries})
        expected = {config.project} if config.project else set(projects[:1])
        expected |= set(config.family.members) if config.family is not None else set()
        for file, _ in self.summaries:
            if file.project not in expected:
                raise UsageError(
                    f"{file.filename} of the project {file.project} is staged into a release of"
                    f" {', '.join(sorted(expected))}",
                    hint=f"name the project in {TABLE}.family.members, or find out who staged it and use --abort",
                )
        wheels = [SummaryWheel.of(summary) for summary in found if not is_sdist(summary.file)]
        sdists = [Sdist(Path(item.file), item.size, item) for item in found if is_sdist(item.file)]
        return tuple(releases_of(wheels, sdists, config))


class Stage(msgspec.Struct, frozen=True):
    """One stage in its store; `settings` are those of an index that nobody but testers reads."""

    name: str
    store: Store
    settings: UploadTable = msgspec.field(default_factory=UploadTable)

    def open(self) -> None:
        """Begin the stage, or find it open; raise Conflict where it takes no more files."""
        state = self._read_state()[0]
        if state is None and not self._swap(StageState(self.name), None):
            state = self._read_state()[0]
        if state is not None:
            self.refuse_closed()

    def refuse_closed(self) -> None:
        """Raise Conflict where the stage takes no more files: a release that has begun has the list of its files."""
        state = self._read_state()[0]
        if state is None or state.status is not Status.OPEN:
            status = "aborted" if state is None else state.status.value
            raise Conflict(
                f"{self.store.describe()}: the staged release {self.name!r} is {status}, and takes no more files",
                hint="stage what is missing under another name, and release that too",
            )

    def add(self, release: Release, summaries: Iterable[Summary], reporter: Reporter = SILENT) -> UploadResult:
        """Put the files of a release with their summaries into the stage, and list them on its own pages and views.

        The same call again finishes what was cut off. Raises Conflict where a name is taken by other bytes.
        """
        own = Destinations(self.settings, self.store, is_private=self.settings.stage_url is not None)
        plan = plan_release(release, own, reporter)
        result = publish(plan, own, reporter)
        by_name = {summary.file: summary for summary in summaries}
        for upload in plan.files.uploads:
            entry, attestation = upload.entry, upload.attestation
            summary = by_name.get(entry.filename) or Summary(entry.filename, entry.size or 0, entry.sha256)
            summary = replace(summary, attestation=None if attestation is None else attestation.decode())
            file = StagedFile(upload.project, entry.filename)
            self._write(f"{file}{SUMMARY_SUFFIX}", summary.dumps().encode())
        return result

    def contents(self) -> StageContents:
        """Read what the stage has; raise VariantPublishError where there is no such stage, or what is not its own."""
        state, _ = self._existing()
        there = self._summarized()
        own = [file for file in there if state.status is Status.OPEN or file in set(state.files)]
        late = [file.filename for file in there if file not in set(own)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = tuple(pool.map(lambda file: (file, self._read_summary(file)), own))
        return StageContents(state, found, tuple(late))

    def refuse_missing(self, contents: StageContents) -> None:
        """Raise VariantPublishError where a file is not in the stage with the size that its summary has."""
        sizes = {item.key: item.size for item in self.store.keys("")}
        missing = [file.filename for file, item in contents.summaries if sizes.get(str(file)) != item.size]
        named = {file for file, _ in contents.summaries}
        missing += [file.filename for file in contents.state.files if file not in named]
        if missing:
            raise VariantPublishError(
                f"{self.store.describe()}: {', '.join(missing)} was staged for {self.name!r} and is not there any more",
                hint="run the jobs that staged it again",
            )

    def begin(self, contents: StageContents) -> None:
        """Fix the list of the files: from here on the stage can only be released. Raise Conflict where it changed."""
        if contents.state.status is Status.RELEASING:
            return
        files = tuple(file for file, _ in contents.summaries)
        state, etag = self._read_state()
        if state != contents.state or not self._swap(contents.state.then(Status.RELEASING, files), etag):
            raise Conflict(
                f"{self.store.describe()}: the staged release {self.name!r} was changed by another command",
                hint="run the command again",
            )

    def finish(self) -> None:
        """Say that the stage is released, and delete its files: the extra index has them."""
        state, etag = self._read_state()
        if state is not None and state.status is Status.RELEASING:
            self._swap(state.then(Status.RELEASED), etag)
        self._clear()

    def abort(self) -> tuple[str, ...]:
        """Abort the stage, and return the names of its files. Raise Conflict where it is being released."""
        state, etag = self._existing()
        if state.status in (Status.RELEASING, Status.RELEASED):
            raise Conflict(
                f"{self.store.describe()}: the staged release {self.name!r} is listed already, or about to be",
                hint="finish it with 'variant-publish release', then yank files with 'variant-publish index yank'",
            )
        if state.status is Status.OPEN and not self._swap(state.then(Status.ABORTING), etag):
            raise Conflict(
                f"{self.store.describe()}: {self.name!r} was changed by another command", hint="run the command again"
            )
        gone = self._clear()
        self.store.delete(STATE_FILE)
        return gone

    def forget(self) -> None:
        """Delete what is left of the stage: an open one is aborted, of a released one only its state is left."""
        state, _ = self._read_state()
        if state is None or state.status is Status.RELEASED:
            self._clear()
            self.store.delete(STATE_FILE)
        else:
            self.abort()

    def _clear(self) -> tuple[str, ...]:
        """Delete everything but the state, pages before what they list; return the names of the wheels and sdists."""
        keys = [item.key for item in self.store.keys("") if item.key != STATE_FILE]
        for key in sorted(keys, key=_listing_first):
            self.store.delete(key)
        return tuple(key.rpartition("/")[2] for key in keys if _is_file(key) and not key.startswith(f"{VIEWS}/"))

    def _existing(self) -> tuple[StageState, str | None]:
        """Read the state of a stage that must be there, and its tag."""
        state, etag = self._read_state()
        if state is None:
            raise VariantPublishError(
                f"{self.store.describe()} has no staged release {self.name!r}",
                hint="stage wheels with 'variant-publish upload --stage'",
            )
        return state, etag

    def _read_state(self) -> tuple[StageState | None, str | None]:
        stored = self.store.read(STATE_FILE)
        return (None, None) if stored is None else (StageState.parse(stored.content, self.name), stored.etag)

    def _swap(self, state: StageState, etag: str | None) -> bool:
        content = state.dumps().encode()
        return self.store.swap(STATE_FILE, content, etag=etag, content_type=JSON, generation=state.generation)

    def _write(self, key: str, content: bytes) -> None:
        """Write a summary; a later one of the same file, made by another version of the rules, takes its place."""
        etag = None
        for _ in range(_ATTEMPTS):
            if self.store.swap(key, content, etag=etag, content_type=JSON, generation=1):
                return
            stored = self.store.read(key)
            etag = stored.etag if stored is not None else None
        raise Conflict(f"{self.store.describe()}: {key} is being written by others", hint="run the command again")

    def _summarized(self) -> list[StagedFile]:
        """Return the files that have a summary; raise InvalidStage for a summary that cannot be of this stage."""
        keys = [item.key for item in self.store.keys("") if item.key.endswith(SUMMARY_SUFFIX)]
        if len(keys) > MOST_FILES:
            raise InvalidStage(f"{len(keys)} files", f"are more than {MOST_FILES}")
        return [StagedFile.parse(key.removesuffix(SUMMARY_SUFFIX)) for key in keys]

    def _read_summary(self, file: StagedFile) -> Summary:
        key = f"{file}{SUMMARY_SUFFIX}"
        stored = self.store.read(key)
        if stored is None:
            raise Conflict(f"{self.store.describe()}: {key} went away meanwhile", hint="run the command again")
        summary = Summary.parse(stored.content, f"{self.store.describe()}: {key}")
        if summary.file != file.filename:
            raise InvalidStage(key, f"is the summary of {summary.file}")
        return summary


def _listing_first(key: str) -> tuple[bool, bool, int, bool]:
    """Order keys so that no page or master is left that lists what is gone: the root's, pages, masters, files."""
    is_page = key.endswith(("index.html", "/"))
    return not (is_page or key.endswith("index.json")), _is_file(key), key.count("/"), not is_page


def _is_file(key: str) -> bool:
    return key.endswith((".whl", ".tar.gz"))
