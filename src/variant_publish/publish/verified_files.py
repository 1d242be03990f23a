"""Files of a stage or an index, read once and compared with what is said of them before anything is listed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError
from variant_publish.formats.stage_state import StagedFile
from variant_publish.formats.summary import Summary
from variant_publish.index.index import Upload
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.placement import is_sdist
from variant_publish.store.store import Store
from variant_publish.store.stored_file import StoredFile

_AT_ONCE = 4
"""Files that are on disk at once, each as long as it is looked at."""


class FalseClaim(VariantPublishError):
    """Report a file that is not what the summary in its stage, or the index that lists it, says."""

    def __init__(self, store: Store, file: StagedFile, what: str) -> None:
        super().__init__(
            f"{store.describe()}: {file.filename} is not what is said of it there: {what}",
            hint="find out who wrote it; remove a stage with 'variant-publish release NAME --abort'",
        )


class Claim(msgspec.Struct, frozen=True):
    """What is said of a file: size, SHA-256, and what `fault` finds in it, "" for nothing."""

    size: int
    sha256: str
    fault: Callable[[Path], str] = lambda path: ""

    @classmethod
    def of_summary(cls, summary: Summary) -> Claim:
        """Return what the summary of a staged file says."""
        if is_sdist(summary.file):
            return cls(summary.size, summary.sha256)
        return cls(summary.size, summary.sha256, lambda path: _difference(WholeWheel.read(path), summary))

    @classmethod
    def of_upload(cls, upload: Upload) -> Claim:
        """Return what an index says of a file: its entry, and the METADATA beside it."""

        def fault(path: Path) -> str:
            is_same = upload.metadata is None or WholeWheel.read(path).info["METADATA"] == upload.metadata
            return "" if is_same else "it has another METADATA"

        return cls(upload.entry.size or 0, upload.entry.sha256, fault)


class VerifiedFiles(msgspec.Struct, frozen=True):
    """Where each file lies in its store, as it was when it was read, and where those lie that are kept on disk."""

    stored: dict[StagedFile, StoredFile] = {}
    local: dict[StagedFile, Path] = {}

    def stored_of(self, upload: Upload) -> StoredFile | None:
        """Return where the file of an upload lies in a store; None for a file of this machine."""
        return self.stored.get(StagedFile(upload.project, upload.entry.filename))

    def path_of(self, upload: Upload) -> Path:
        """Return where the file of an upload lies on this machine."""
        return self.local.get(StagedFile(upload.project, upload.entry.filename), upload.path)


@contextmanager
def verified(
    store: Store,
    claims: Mapping[StagedFile, Claim],
    keep: Set[StagedFile],
    reporter: Reporter = SILENT,
    *,
    trust: bool = False,
) -> Iterator[VerifiedFiles]:
    """Read each file once, several at a time, and raise FalseClaim where it is not what is said of it.

    Files in `keep`, which go on to a repository, stay in a temporary folder until the end. With `trust` only those are
    read.
    """
    with TemporaryDirectory(prefix="variant-publish-") as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        files = VerifiedFiles()
        reader = _Reader(store, Path(folder), keep, reporter)
        wanted = {file: claim for file, claim in claims.items() if not trust or file in keep}
        for file, stored in zip(wanted, pool.map(lambda item: reader.read(*item), wanted.items()), strict=True):
            files.stored[file] = stored
            if file in keep:
                files.local[file] = reader.path(file)
        for file in claims.keys() - wanted.keys():
            files.stored[file] = StoredFile.of(store, str(file))
        yield files


class _Reader(msgspec.Struct, frozen=True):
    """Read files of a store into a folder; each is deleted as soon as it was looked at, unless it is kept."""

    store: Store
    folder: Path
    keep: Set[StagedFile]
    reporter: Reporter

    def path(self, file: StagedFile) -> Path:
        return self.folder / file.project / file.filename

    def read(self, file: StagedFile, claim: Claim) -> StoredFile:
        stored, path = StoredFile.of(self.store, str(file)), self.path(file)
        if stored.size != claim.size:
            raise FalseClaim(self.store, file, f"it has {stored.size} bytes, and {claim.size} are said")
        self._refuse_full(file, stored.size)
        path.parent.mkdir(exist_ok=True)
        try:
            digest = self._fetch(stored, path)
            if digest != claim.sha256:
                raise FalseClaim(self.store, file, f"its SHA-256 is {digest}, and {claim.sha256} is said")
            if reason := claim.fault(path):
                raise FalseClaim(self.store, file, reason)
        finally:
            if file not in self.keep:
                path.unlink(missing_ok=True)
        return stored

    def _fetch(self, stored: StoredFile, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("wb") as stream, self.reporter.track(f"{path.name} from its store", stored.size) as advance:
            for content in stored.pieces():
                digest.update(content)
                stream.write(content)
                advance(len(content))
        return digest.hexdigest()

    def _refuse_full(self, file: StagedFile, size: int) -> None:
        if size > (free := shutil.disk_usage(self.folder).free):
            raise VariantPublishError(
                f"{self.folder.parent} has {free} bytes left, and {file.filename} needs {size} to be verified",
                hint="make room there, or set TMPDIR to a folder on a larger disk",
            )


def _difference(wheel: WholeWheel, summary: Summary) -> str:
    """Return what a summary says wrongly of a wheel, "" for nothing."""
    if wheel.dist_info != summary.dist_info:
        return f"its dist-info folder is {wheel.dist_info}"
    if wheel.record_text != summary.record:
        return "it has another RECORD"
    other = sorted(name for name in {*wheel.info, *summary.files} if wheel.info.get(name) != summary.files.get(name))
    return f"it has another {', '.join(other)}" if other else ""
