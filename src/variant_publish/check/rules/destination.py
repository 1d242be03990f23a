"""Rules 7xx: the places that a release goes to will take it, and its users can read them."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import DescribedWheel, Wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.requires import parsed
from variant_publish.check.engine.rule import Outcome, Problems, ReleaseRule, Severity, WheelRule
from variant_publish.check.rules.abi import index_url
from variant_publish.check.rules.metadata import is_for_pypi
from variant_publish.config.tables import DEFAULT_EXTRA_INDEX, TABLE, UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.model.url import redact
from variant_publish.release.acceptance import FILE_LIMIT, PROJECT_LIMIT, refusal_of_name, refusals_of_metadata
from variant_publish.release.release import Sdist
from variant_publish.remote.transport import IndexUnavailable

NO_INDEX = "no index is named (--index, or upload.repository-index)"
_PUBLISHED = "the release is published"
_LOCAL = ("localhost", "127.0.0.1", "::1")


class _RepositoryRule(WheelRule[Wheel]):
    """Check each wheel that goes to a public repository."""

    guards_publication = True

    def not_for(self, wheel: Wheel, context: Context) -> str | None:
        """Leave out what is there already, variants, and everything where only an index of one's own is configured."""
        upload = context.release.config.upload
        if context.is_published:
            return _PUBLISHED
        if not _has_repository(upload) and (upload.public_url or upload.extra_index != DEFAULT_EXTRA_INDEX):
            return "the configuration names no repository"
        return None if upload.repository_takes_variants else is_for_pypi(wheel)


class PlatformTaken(_RepositoryRule):
    """Prove that PyPI knows the platform of each wheel that goes there.

    It refuses `linux_x86_64` and every manylinux and macOS tag that it has no rule for, in the middle of an upload.
    """

    id = "VP701"
    hint = "repair it with auditwheel, delocate or delvewheel, which give it a tag that PyPI takes"

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Compare the platforms against those of Warehouse."""
        if reason := refusal_of_name(wheel.name, takes_variants=True):
            yield reason


class FileSize(_RepositoryRule):
    """Prove that no file for PyPI is larger than what PyPI takes without being asked.

    The limit is 100 MiB. `upload` sends what is larger than `upload.large` to the extra index instead.
    """

    id = "VP702"
    severity = Severity.WARNING
    hint = "ask PyPI for a higher limit, or lower upload.large, which sends it to the extra index"

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Compare the sizes of files that are not sent elsewhere."""
        config = context.release.config
        if wheel.size > FILE_LIMIT and not (_has_repository(config.upload) and wheel.size > config.large):
            yield f"it has {wheel.size / 1e6:.0f} MB, PyPI takes {FILE_LIMIT / 1e6:.0f} MB"


class MetadataTaken(_RepositoryRule):
    """Prove that METADATA is what PyPI accepts: known versions, fields, classifiers' form, requirements and licences.

    PyPI validates every field of an upload and refuses the file at the first one that is wrong.
    """

    id = "VP703"
    hint = "correct it in the project's sources and build again"

    def problems(self, wheel: Wheel, context: Context) -> Problems:
        """Validate as packaging does, on which PyPI relies."""
        for reason in refusals_of_metadata(bytes(wheel.metadata)):
            yield f"PyPI refuses its metadata: {reason}"


class _IndexRule(ReleaseRule[Wheel]):
    """Check the release against what an index has; skipped without an index, unknown where it is not asked.

    `asks` names what the index is asked for.
    """

    guards_publication = True
    asks: ClassVar[str]

    def check(self, context: Context) -> Iterator[Outcome]:
        """Yield the outcomes, or why there are none."""
        index = repository_index(context)
        if context.is_published or index is None:
            yield Outcome.skipped(_PUBLISHED if context.is_published else NO_INDEX)
        elif context.offline:
            yield Outcome.not_asked(self.asks)
        else:
            try:
                yield from list(self.outcomes(context, index))
            except IndexUnavailable as error:
                yield Outcome.unknown(error.message, error.hint or "check again when the index answers")

    @abstractmethod
    def outcomes(self, context: Context, index: str) -> Iterator[Outcome]:
        """Yield what the index tells; raise IndexUnavailable where it does not answer."""


class ProjectSize(_IndexRule):
    """Prove that the project has room for the release on PyPI.

    All files of all releases together may have 10 GiB; an upload beyond that stops half-way. A project that has more
    already was granted it.
    """

    id = "VP704"
    asks = "the size of the project"
    severity = Severity.WARNING
    hint = "ask PyPI for a higher limit, delete old pre-releases there, or send more to the extra index"

    def outcomes(self, context: Context, index: str) -> Iterator[Outcome]:
        """Add what is new to what is there."""
        listed = context.listing(index, context.release.project)
        if any(file.size is None for file in listed):
            yield Outcome.unknown(f"{redact(index)} does not tell the sizes of its files", "look at the project's page")
            return
        names = {file.filename for file in listed}
        sent = [wheel for wheel in context.release.wheels if _goes(wheel, context)]
        new = sum(wheel.size for wheel in sent if wheel.filename not in names)
        total = sum(file.size or 0 for file in listed)
        yield self.judged(
            total <= PROJECT_LIMIT < total + new,
            f"the project has {total / 1e9:.1f} GB on {redact(index)} and the release adds {new / 1e9:.1f} GB;"
            f" PyPI takes {PROJECT_LIMIT / 1e9:.1f} GB",
        )


class NamesUnused(_IndexRule):
    """Prove that no file name of the release is taken by other bytes.

    PyPI never takes a name twice, not even after a deletion; the upload would stop at that file.
    """

    id = "VP705"
    asks = "the names of the files"
    hint = "build the file again with a new version or build tag"

    def outcomes(self, context: Context, index: str) -> Iterator[Outcome]:
        """Compare the hashes of files with the same name."""
        release = context.release
        for wheel in release.wheels:
            place = index if _goes(wheel, context) else release.config.upload.public_url
            yield self._compared(context, place, wheel)
        for sdist in release.sdists:
            yield self._compared(context, index, sdist)

    def _compared(self, context: Context, place: str | None, file: Wheel | Sdist) -> Outcome:
        if place is None:
            return Outcome.skipped("the extra index has no public address")
        listed = context.listing(place, context.release.project)
        there = next((one for one in listed if one.filename == file.filename), None)
        if there is None:
            return Outcome.passed()
        if not there.sha256 or not isinstance(file, (DescribedWheel, Sdist)):
            hint = "compare them by hand"
            return Outcome.unknown(f"{redact(place)} has the name without a hash", hint, file=file.filename)
        text = f"{redact(place)} has other bytes under this name"
        return self.judged(there.sha256 != file.sha256, text, file=file.filename)


class NamesHeld(_IndexRule):
    """Prove that every project that the wheels require exists on the public index, the project itself included.

    A name that only an extra index has can be registered on PyPI by anyone; whoever installs with `--extra-index-url`
    then gets the higher version, which is the attacker's (dependency confusion).
    """

    id = "VP706"
    asks = "the names of the projects that the wheels require"

    def outcomes(self, context: Context, index: str) -> Iterator[Outcome]:
        """Look for each name."""
        release = context.release
        own = str(release.project)
        for name in sorted({own, *(name for wheel in release.wheels for name in _required(wheel))}):
            is_sent = name == own and any(_goes(wheel, context) for wheel in release.wheels)
            if is_sent or context.listing(index, name):
                yield Outcome.passed()
            else:
                what = f"the project {name}" if name == own else f"{name}, which the wheels require,"
                yield Outcome.failed(
                    f"{what} is not on {redact(index)}: anyone can take the name there",
                    f"register {name} there, with a release that says where the real one is",
                )


class PublicAddress(ReleaseRule[Wheel]):
    """Prove that users can read the extra index where they are told to.

    A wrong or closed `upload.public-url` is found by the first user. pip takes no index over plain http, but on the
    same machine.
    """

    id = "VP707"
    guards_publication = True
    severity = Severity.WARNING
    hint = "serve it over https"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Read the project's page at the address."""
        address = context.release.config.upload.public_url
        hint = f"correct {TABLE}.upload.public-url, or make the address public"
        if address is None or context.is_published:
            yield Outcome.skipped(_PUBLISHED if context.is_published else "upload.public-url is not configured")
            return
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            yield self.failed(f"{redact(address)} is not https, and pip does not trust it")
        elif context.offline:
            yield Outcome.not_asked(redact(address))
        else:
            try:
                context.listing(address, context.release.project)
            except VariantPublishError as error:
                yield self.failed(error.message, hint=hint)
            else:
                yield Outcome.passed()


class NameTaken(ReleaseRule[Wheel]):
    """Prove that PyPI does not refuse the project for its name.

    It takes no new project with the name of a module of the standard library. One that is there already stays.
    """

    id = "VP708"
    guards_publication = True
    hint = "give the project another name"

    def check(self, context: Context) -> Iterator[Outcome]:
        """Compare the name with the modules of this Python; an index that has the project settles it."""
        release = context.release
        if context.is_published or not any(_goes(wheel, context) for wheel in release.wheels):
            yield Outcome.skipped(_PUBLISHED if context.is_published else "no wheel goes to a repository")
            return
        index = repository_index(context)
        if release.project not in set(map(canonicalize_name, sys.stdlib_module_names)):
            yield Outcome.passed()
        elif index is not None and context.offline:
            yield Outcome.not_asked(f"{release.project}, the name of a module of the standard library")
        elif index is None:
            hint = "check with --index, which tells whether the project is there already"
            yield Outcome.unknown(f"{release.project} is the name of a module of the standard library", hint)
        else:
            text = f"{release.project} is the name of a module of the standard library, and PyPI takes no such project"
            yield self.judged(not context.listing(index, release.project), text)


def repository_index(context: Context) -> str | None:
    """Return the simple index of the repository that generic wheels go to, None where nobody names it.

    The name of a repository is not enough: what "pypi" means is for twine and .pypirc to say, and a check asks no
    server that it was not told to ask.
    """
    if context.index is not None:
        return index_url(context.index)
    return context.release.config.upload.repository_index


def user_indexes(context: Context) -> tuple[str, ...]:
    """Return the indexes that users of the release have: the repository's, and the extra index by its public address.

    Nothing where the repository's is not named: the extra index alone does not have what users get from elsewhere.
    """
    index, public = repository_index(context), context.release.config.upload.public_url
    if index is None:
        return ()
    return (index,) if public is None else (index, public)


def _has_repository(upload: UploadTable) -> bool:
    return (upload.repository or upload.repository_url) is not None


def _goes(wheel: Wheel, context: Context) -> bool:
    """Return whether the wheel goes to the repository, as `upload` decides it."""
    config = context.release.config
    if refusal_of_name(wheel.name, takes_variants=config.upload.repository_takes_variants):
        return False
    return not (_has_repository(config.upload) and wheel.size > config.large)


def _required(wheel: Wheel) -> Iterator[str]:
    return (canonicalize_name(one.name) for one in parsed(wheel.metadata.requires_dist))
