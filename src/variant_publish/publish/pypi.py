"""A package repository, reached through twine: names, .pypirc, environment and keyring are twine's business."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.provenance import check_attestation
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import Upload
from variant_publish.model.url import redact
from variant_publish.progress import Advance
from variant_publish.release.acceptance import refusals_of_metadata
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import IndexUnavailable
from variant_publish.store.objects import CreateOutcome, conflict, ignore

if TYPE_CHECKING:
    import requests
    from twine.package import PackageFile
    from twine.repository import Repository as TwineSession
    from twine.settings import Settings

_LEGACY_PATH = "/legacy"
_SERVED_AT = ("simple/", "+simple/", "")
"""Where servers show what was uploaded to an address: most, devpi, and those that serve both at one address."""

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 10.0
_MOST_TEXT = 500
_TAG = re.compile(r"<(style|script|title)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class TwineRepository:
    """Upload to the repository that a configuration names, and read its simple index."""

    def __init__(self, upload: UploadTable) -> None:
        self.name = upload.repository
        self.given_url = upload.repository_url
        self.given_index = upload.repository_index

    def describe(self) -> str:
        """Name the repository as it is configured."""
        return self.name if self.name and not self.given_url else redact(self.given_url or "the repository")

    @property
    def url(self) -> str:
        """Return the address that files are sent to."""
        return str(self._settings.repository_config["repository"])

    def simple_indexes(self) -> tuple[str, ...]:
        """Return the addresses at which the repository may show its files, the likeliest first."""
        if self.given_index is not None:
            return (self.given_index,)
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        if path.endswith(_LEGACY_PATH):  # as Warehouse has it
            host = parts.netloc.removeprefix("upload.")
            path = path.removesuffix(_LEGACY_PATH)
            return (urlunsplit((parts.scheme, host, f"{path}/simple/", "", "")),)
        return tuple(urlunsplit((parts.scheme, parts.netloc, f"{path}/{place}", "", "")) for place in _SERVED_AT)

    def project_url(self, project: str) -> str | None:
        """Return the project's page on the repository, where its address is known for certain."""
        indexes = self.simple_indexes()
        return f"{redact(indexes[0]).rstrip('/')}/{canonicalize_name(project)}/" if len(indexes) == 1 else None

    def preflight(self, paths: Sequence[Path]) -> None:
        """Raise VariantPublishError unless twine finds the repository and credentials for it, and can read the files.

        A file that twine refuses would otherwise stop the release half-way.
        """
        for path in paths:
            self._package(path)
            if urlsplit(self.url).path.rstrip("/").endswith(_LEGACY_PATH):  # others take what Warehouse refuses
                check_metadata(path)
        self._session.session.auth  # noqa: B018 - making the session asks for the credentials

    def existing(self, project: str) -> tuple[IndexFile, ...] | None:
        """Ask the simple index; None where none of its possible addresses answers."""
        answered = False
        for index in self.simple_indexes():
            try:
                files = read_project(index, project)
            except IndexUnavailable:
                continue
            if files:
                return files
            answered = True
        return () if answered else None

    def upload(self, upload: Upload, advance: Advance = ignore) -> CreateOutcome:
        """Send one file; one that is there with the same hash is left alone."""
        package = self._package(upload.path)
        if upload.attestation is not None:
            package.attestations = [
                check_attestation(upload.attestation, upload.entry.filename, upload.entry.sha256)
            ]  # fmt: skip
        with self._translated(), _quiet():
            response = self._session.upload(package)
        with contextlib.closing(response):
            if response.status_code == 200:
                advance(upload.path.stat().st_size)
                return CreateOutcome.CREATED
            if _says_existing(response) and self._has(upload):
                advance(upload.path.stat().st_size)
                return CreateOutcome.ALREADY_THERE
            raise self._refusal(upload, response)

    def listed(self, project: str, expected: Mapping[str, str], deadline_s: float) -> tuple[IndexFile, ...]:
        """Ask the simple index until it shows the files."""
        deadline, wait = time.monotonic() + deadline_s, _FIRST_WAIT
        while True:
            shown = {file.filename: file for file in self.existing(project) or () if file.filename in expected}
            for name, file in shown.items():
                if file.sha256 not in ("", expected[name]):
                    raise conflict(self.describe(), name)
            left = deadline - time.monotonic()
            if len(shown) == len(expected) or left <= 0:
                # An index that was asked with a password may repeat it in its links, which go onto a public page.
                return tuple(replace(file, url=redact(file.url)) for file in shown.values())
            time.sleep(min(wait, left))
            wait = min(2 * wait, _LONGEST_WAIT)

    @cached_property
    def _settings(self) -> Settings:
        """Let twine read its configuration and environment, as its own command does."""
        import argparse

        from twine.settings import Settings

        arguments = ["--disable-progress-bar"]
        if self.name is not None:
            arguments += ["--repository", self.name]
        if self.given_url is not None:
            arguments += ["--repository-url", self.given_url]
        if not sys.stdin or not sys.stdin.isatty():
            arguments.append("--non-interactive")
        parser = argparse.ArgumentParser(exit_on_error=False)
        Settings.register_argparse_arguments(parser)
        with self._translated():
            settings = Settings.from_argparse(parser.parse_args(arguments))
            settings.check_repository_url()
            return settings

    @cached_property
    def _session(self) -> TwineSession:
        # A question for a password goes to stderr: stdout belongs to the result.
        with self._translated(), contextlib.redirect_stdout(sys.stderr):
            return self._settings.create_repository()

    def close(self) -> None:
        """Close the connections."""
        if "_session" in self.__dict__:
            self._session.close()
            del self.__dict__["_session"]

    def _package(self, path: Path) -> PackageFile:
        from twine.exceptions import InvalidDistribution
        from twine.package import PackageFile

        try:
            with _quiet():
                return PackageFile.from_filename(str(path), None)
        except (InvalidDistribution, OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise VariantPublishError(
                f"{path} cannot be uploaded ({' '.join(str(error).split())})",
                hint="correct its metadata and build it again",
            ) from error

    def _has(self, upload: Upload) -> bool:
        files = self.existing(upload.project) or ()
        found = next((file for file in files if file.filename == upload.entry.filename), None)
        if found is not None and found.sha256 not in ("", upload.entry.sha256):
            raise conflict(self.describe(), upload.entry.filename)
        return found is not None and found.sha256 == upload.entry.sha256

    def _refusal(self, upload: Upload, response: requests.Response) -> VariantPublishError:
        name, status = upload.entry.filename, response.status_code
        if response.is_redirect:
            target = redact(response.headers.get("location", ""))
            return VariantPublishError(
                f"{self.describe()} sends uploads on to {target}",
                hint="if you trust that address, write it as upload.repository-url",
            )
        said = self._clean(f"{response.reason}. {_text_of(response)}".strip())
        return VariantPublishError(f"{self.describe()} refuses {name} ({status} {said})", hint=_remedy(response))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        import requests
        from twine.exceptions import NonInteractive, TwineException

        try:
            yield
        except NonInteractive as error:
            raise VariantPublishError(
                f"{self.describe()}: no credentials ({error})",
                hint="set TWINE_USERNAME and TWINE_PASSWORD, write them to .pypirc, or use trusted publishing",
            ) from error
        except requests.RequestException as error:
            raise VariantPublishError(
                f"{self.describe()} cannot be reached ({self._clean(str(error))})",
                hint="check the address and the network, then run the command again",
            ) from error
        except TwineException as error:
            raise VariantPublishError(
                f"{self.describe()}: {self._clean(' '.join(str(error).split()))}",
                hint="see twine's documentation for .pypirc and the TWINE_* variables",
            ) from error

    def _clean(self, text: str) -> str:
        """Take out the credentials of the session."""
        secrets: tuple[str, ...] = ()
        if "_session" in self.__dict__ and isinstance(self._session.session.auth, tuple):
            secrets = tuple(str(item) for item in self._session.session.auth[1:])
        for secret in secrets:
            if secret:
                text = text.replace(secret, "***")
        return redact(text)


def check_metadata(path: Path) -> None:
    """Raise VariantPublishError with everything in a wheel's METADATA that a public repository refuses."""
    if path.name.endswith(".whl") and (reasons := refusals_of_metadata(WholeWheel.read(path).info["METADATA"])):
        raise VariantPublishError(
            f"{path}: the repository would refuse its metadata ({'; '.join(reasons)})",
            hint="correct it and build the wheel again",
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what twine prints: the Reporter shows progress, and stdout belongs to the result."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _text_of(response: requests.Response) -> str:
    text = " ".join(_TAG.sub(" ", response.text).split())
    if text.startswith("{"):  # devpi answers in JSON
        with contextlib.suppress(ValueError, AttributeError):
            text = str(response.json().get("message", text))
    return text[:_MOST_TEXT] + ("..." if len(text) > _MOST_TEXT else "")


def _says_existing(response: requests.Response) -> bool:
    said = f"{response.reason} {response.text}".lower()
    return response.status_code == 409 or (response.status_code in (400, 403) and "already exist" in said)


def _remedy(response: requests.Response) -> str:
    status = response.status_code
    if _says_existing(response):
        return "a published name is never used twice: build the file with a new version or build tag"
    if status in (401, 403):
        return (
            "check TWINE_USERNAME and TWINE_PASSWORD, .pypirc or the trusted publisher, and the right to this project"
        )
    if status == 413:
        return 'lower upload.large (for example "60 MB"), so that large files go to the extra index'
    if status in (404, 405):
        return "correct upload.repository-url: it is the address that twine uploads to"
    if status >= 500:
        return "the server has trouble: run the same command again later"
    return "correct what the server names, build the file again, and run the same command"
