"""A release made on many machines: jobs put files and summaries into the store, and one command lists all or nothing.

A stage is `.staged/NAME/` in the store of the extra index: `state.json`, and for each file of the release a summary
`PROJECT/FILE.summary.json`. The files themselves go straight to their final places, create-only, where no page lists
them. A summary is written after its file, so what has a summary is there.

The state changes by compare-and-swap alone: whoever lists a release has made the list of its files fast before, and
whoever withdraws a stage has closed it before. So neither can happen to the other's files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from variant_publish.archive.wheel import SummaryWheel
from variant_publish.config.configuration import Config
from variant_publish.errors import VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.stage import FOLDER, STATE_FILE, StageState, Status, stage_folder
from variant_publish.formats.summary import SUMMARY_SUFFIX, Summary
from variant_publish.index.index import Upload, read_index, refuse_removed, send
from variant_publish.index.yank import BESIDE
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.placement import is_sdist
from variant_publish.publish.uploads import uploads_of
from variant_publish.release.release import Release, Sdist, releases_of
from variant_publish.store.objects import JSON, Conflict, CreateOutcome, changed_on_the_way, conflict
from variant_publish.store.store import Store

_AT_ONCE = 16
_PIECE = 8 * 1024 * 1024
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Staged:
    """What a stage has: its state, the summaries that belong to it, and those that came too late for it."""

    name: str
    state: StageState
    summaries: tuple[tuple[str, Summary], ...]
    late: tuple[str, ...] = ()

    @property
    def is_released(self) -> bool:
        """Return whether the index lists everything already."""
        return self.state.status is Status.RELEASED


@dataclass(frozen=True, slots=True)
class Sent:
    """What staging did: names of files sent, and of those that were there."""

    sent: tuple[str, ...]
    skipped: tuple[str, ...]

    def table(self) -> dict[str, list[str]]:
        """Return the members of the JSON object."""
        return {"sent": list(self.sent), "skipped": list(self.skipped)}


def summarized(
    release: Release, summaries: Iterable[Summary], *, attest: bool = False
) -> Iterator[tuple[Upload, Summary]]:
    """Yield the uploads of a release, each with its summary; `summaries` are those of the wheels."""
    by_name = {summary.file: summary for summary in summaries}
    for upload in uploads_of(release, attest=attest):
        entry, attestation = upload.entry, upload.attestation
        summary = by_name.get(entry.filename) or Summary(entry.filename, entry.size or 0, entry.sha256)
        yield upload, replace(summary, attestation=None if attestation is None else attestation.decode())


def releases_of_stage(staged: Staged, config: Config) -> tuple[Release, ...]:
    """Build the releases that the summaries tell of."""
    found = [summary for _, summary in staged.summaries]
    wheels = [SummaryWheel.of(summary) for summary in found if not is_sdist(summary.file)]
    sdists = [Sdist(Path(item.file), item.size, item) for item in found if is_sdist(item.file)]
    return tuple(releases_of(wheels, sdists, config))


def stage(
    store: Store,
    name: str,
    uploads: Sequence[tuple[Upload, Summary]],
    reporter: Reporter = SILENT,
) -> Sent:
    """Put files and their summaries into a stage; nothing is listed. The same call again finishes what was cut off.

    Raises Conflict where a name is taken by other bytes, and where the stage is not open any more.
    """
    folder = stage_folder(name)
    _refuse_closed(store, name, _opened(store, folder))
    for project in {upload.project for upload, _ in uploads}:
        _refuse_taken(store, project, [upload.entry for upload, _ in uploads if upload.project == project])
    sent: list[str] = []
    skipped: list[str] = []
    for upload, summary in uploads:
        with reporter.track(summary.file, summary.size) as advance:
            outcome = send(store, upload, advance)
        _write(store, f"{folder}{upload.project}/{summary.filename}", summary.dumps().encode())
        (sent if outcome is CreateOutcome.CREATED else skipped).append(summary.file)
    # A release that began meanwhile has the list of its files already.
    _refuse_closed(store, name, _read_state(store, folder)[0])
    return Sent(tuple(sent), tuple(skipped))


def read_stage(store: Store, name: str) -> Staged:
    """Read what a stage has; raise VariantPublishError where there is none of that name."""
    state, _ = _existing(store, name)
    keys = _summary_keys(store, stage_folder(name))
    own = [key for key in keys if state.status is Status.OPEN or key in state.files]
    late = [_file(key) for key in keys if key not in own]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = tuple(pool.map(lambda key: (_project(key), _read_summary(store, key)), own))
    return Staged(name, state, found, tuple(late))


def refuse_missing(store: Store, staged: Staged) -> None:
    """Raise VariantPublishError where a file of a stage is not in the store with the size that its summary has."""
    there = {item.key: item.size for project in {p for p, _ in staged.summaries} for item in store.keys(f"{project}/")}
    missing = [item.file for project, item in staged.summaries if there.get(f"{project}/{item.file}") != item.size]
    if missing:
        raise VariantPublishError(
            f"{store.describe()}: {', '.join(missing)} was staged for {staged.name!r} and is not there any more",
            hint="run the jobs that staged it again",
        )


def begin(store: Store, staged: Staged) -> Staged:
    """Make the list of a stage's files fast: from here on it can only be released. Raises Conflict where it changed."""
    if staged.state.status is Status.RELEASING:
        return staged
    folder = stage_folder(staged.name)
    keys = tuple(f"{folder}{project}/{summary.filename}" for project, summary in staged.summaries)
    state, etag = _read_state(store, folder)
    if state != staged.state or not _swap(store, folder, state.then(Status.RELEASING, keys), etag):
        raise Conflict(
            f"{store.describe()}: the staged release {staged.name!r} was changed by another command",
            hint="run the command again",
        )
    return Staged(staged.name, state.then(Status.RELEASING, keys), staged.summaries)


def finish(store: Store, staged: Staged) -> None:
    """Return that a stage is released, and take its summaries away: the index tells everything from now on."""
    folder = stage_folder(staged.name)
    state, etag = _read_state(store, folder)
    if state is not None and state.status is Status.RELEASING:
        _swap(store, folder, state.then(Status.RELEASED), etag)
    for key in staged.state.files:
        store.delete(key)


def abort(store: Store, name: str) -> tuple[str, ...]:
    """Withdraw a stage: its files go, but for those that an index page or another stage has. Give their names.

    Raises Conflict where it is being released.
    """
    folder = stage_folder(name)
    state, etag = _existing(store, name)
    if state.status in (Status.RELEASING, Status.RELEASED):
        raise Conflict(
            f"{store.describe()}: the staged release {name!r} is listed already, or about to be",
            hint="finish it with 'variant-publish release', then withdraw files with 'variant-publish index yank'",
        )
    if state.status is Status.OPEN and not _swap(store, folder, state.then(Status.ABORTING), etag):
        raise Conflict(f"{store.describe()}: {name!r} was changed by another command", hint="run the command again")
    elsewhere = {item.key.split("/", 2)[2] for item in store.keys(FOLDER) if not item.key.startswith(folder)}
    gone = []
    for key in _summary_keys(store, folder):
        project, file = _project(key), _file(key)
        if key.removeprefix(folder) not in elsewhere and not _is_listed(store, project, file):
            for ending in (*BESIDE, ""):
                store.delete(f"{project}/{file}{ending}")
            gone.append(file)
        store.delete(key)
    store.delete(folder + STATE_FILE)
    return tuple(gone)


def stale_stages(store: Store, days: int, now: datetime) -> tuple[str, ...]:
    """Return the names of stages to which nothing has come for `days` days and that are not being released."""
    newest: dict[str, datetime] = {}
    for item in store.keys(FOLDER):
        name = _stage(item.key)
        moment = datetime.fromisoformat(item.modified)
        newest[name] = max(moment, newest.get(name, moment))
    return tuple(
        name
        for name, moment in sorted(newest.items())
        if moment < now - timedelta(days=days) and _status(store, name) is not Status.RELEASING
    )


def forget(store: Store, name: str) -> None:
    """Take away what is left of a stage: an open one is withdrawn, of a released one only the note of it is left."""
    if _status(store, name) is not Status.RELEASED:
        abort(store, name)
        return
    for item in list(store.keys(stage_folder(name))):
        store.delete(item.key)


@contextmanager
def fetched(store: Store, project: str, file: IndexFile, reporter: Reporter = SILENT) -> Iterator[Path]:
    """Read a file of the store into a temporary folder, for a repository that takes files; hold it to its hash."""
    with TemporaryDirectory(prefix="variant-publish-") as folder:
        path, digest, size = Path(folder) / file.filename, hashlib.sha256(), file.size or 0
        with path.open("wb") as stream, reporter.track(f"{file.filename} from the store", size) as advance:
            for offset in range(0, size, _PIECE):
                content = store.read_range(f"{project}/{file.filename}", offset, min(_PIECE, size - offset))
                digest.update(content)
                stream.write(content)
                advance(len(content))
        if digest.hexdigest() != file.sha256:
            raise changed_on_the_way(path)
        yield path


def _opened(store: Store, folder: str) -> StageState | None:
    state, _ = _read_state(store, folder)
    if state is None and _swap(store, folder, StageState(), None):
        return StageState()
    return state or _read_state(store, folder)[0]


def _refuse_closed(store: Store, name: str, state: StageState | None) -> None:
    if state is None or state.status is not Status.OPEN:
        status = "withdrawn" if state is None else state.status.value
        raise Conflict(
            f"{store.describe()}: the staged release {name!r} is {status}, and takes no more files",
            hint="stage what is missing under another name, and release that too",
        )


def _refuse_taken(store: Store, project: str, entries: list[IndexFile]) -> None:
    index = read_index(store, project)
    if index is None:
        return
    refuse_removed(store.describe(), index, entries)
    listed = {file.filename: file.sha256 for file in index.files}
    for entry in entries:
        if listed.get(entry.filename, entry.sha256) != entry.sha256:
            raise conflict(store.describe(), entry.filename)


def _is_listed(store: Store, project: str, file: str) -> bool:
    index = read_index(store, project)
    return index is not None and any(entry.filename == file for entry in index.files)


def _status(store: Store, name: str) -> Status | None:
    state, _ = _read_state(store, stage_folder(name))
    return None if state is None else state.status


def _existing(store: Store, name: str) -> tuple[StageState, str | None]:
    """Read the state of a stage that must be there, and its tag."""
    state, etag = _read_state(store, stage_folder(name))
    if state is None:
        known = ", ".join(sorted({_stage(item.key) for item in store.keys(FOLDER)}))
        raise VariantPublishError(
            f"{store.describe()} has no staged release {name!r}",
            hint=f"it has {known}" if known else "stage wheels with 'variant-publish upload --stage'",
        )
    return state, etag


def _read_state(store: Store, folder: str) -> tuple[StageState | None, str | None]:
    stored = store.read(folder + STATE_FILE)
    return (None, None) if stored is None else (StageState.parse(stored.content), stored.etag)


def _swap(store: Store, folder: str, state: StageState, etag: str | None) -> bool:
    return store.swap(
        folder + STATE_FILE, state.dumps().encode(), etag=etag, content_type=JSON, generation=state.generation
    )  # fmt: skip


def _write(store: Store, key: str, content: bytes) -> None:
    """Write a summary; a later one of the same file, made by another version of the rules, takes its place."""
    etag = None
    for _ in range(_ATTEMPTS):
        if store.swap(key, content, etag=etag, content_type=JSON, generation=1):
            return
        stored = store.read(key)
        etag = stored.etag if stored is not None else None
    raise Conflict(f"{store.describe()}: {key} is being written by others", hint="run the command again")


def _read_summary(store: Store, key: str) -> Summary:
    stored = store.read(key)
    if stored is None:
        raise Conflict(f"{store.describe()}: {key} went away meanwhile", hint="run the command again")
    return Summary.parse(stored.content, f"{store.describe()}: {key}")


def _summary_keys(store: Store, folder: str) -> list[str]:
    return [item.key for item in store.keys(folder) if item.key.endswith(SUMMARY_SUFFIX)]


def _stage(key: str) -> str:
    return key.split("/")[1]


def _project(key: str) -> str:
    return key.split("/")[2]


def _file(key: str) -> str:
    """Return the file that a summary is of, by the summary's key."""
    return key.rpartition("/")[2].removesuffix(SUMMARY_SUFFIX)
