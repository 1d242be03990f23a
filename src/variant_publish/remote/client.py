"""Read a package index: a simple repository over HTTP, the same as files, or a flat folder of wheels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

from packaging.utils import NormalizedName, canonicalize_name

from variant_publish.archive.atomic import creating
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import IndexFile, ProjectIndex
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.progress import SILENT, Reporter

if TYPE_CHECKING:
    import requests
    from pypi_simple import DistributionPackage

_TIMEOUT = 30.0
_RETRIES = 2
_CHUNK = 1 << 16
_SELECTOR_FILES = ("*-variants.json", "*-wheel-selector.toml")


class IndexUnavailable(VariantPublishError):
    """Report an index or a file that cannot be read: whether the project is there is not known."""

    def __init__(self, url: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{hidden(url)} cannot be read ({hidden(reason)})", hint=hint or "check the URL and try again")


def read_project(index: str, project: str) -> tuple[IndexFile, ...]:
    """Return the files of a project on an index, with absolute URLs; an empty tuple where the project is not there.

    `index` is the URL of a simple repository, a `file:` URL or a folder: one with NAME/index.json or NAME/index.html,
    or a flat folder of wheels. Raises IndexUnavailable for every other trouble.
    """
    name = canonicalize_name(project)
    if urlsplit(index).scheme in ("http", "https"):
        return tuple(_read_http(index, name))
    folder = _folder(index)
    if not folder.is_dir():
        raise IndexUnavailable(index, "there is no such folder", hint="name an existing folder, or a URL")
    try:
        return tuple(_read_folder(folder, name))
    except OSError as error:
        raise IndexUnavailable(index, str(error)) from error


def read_url(url: str, limit: int) -> bytes:
    """Return the content of an http, https or file URL; more than `limit` bytes are an IndexUnavailable too."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            with _folder(url).open("rb") as stream:
                content = stream.read(limit + 1)
        else:
            content = _get(url, limit)
    except OSError as error:  # those of requests are OSErrors too
        raise IndexUnavailable(url, _reason(error)) from error
    if len(content) > limit:
        raise IndexUnavailable(url, f"it has more than {limit} bytes", hint="this is not the file it is named as")
    return content


def download(file: IndexFile, target: Path, reporter: Reporter = SILENT) -> None:
    """Fetch a listed file over HTTP to `target`, whole and with the listed SHA-256, or raise IndexUnavailable."""
    digest = hashlib.sha256()
    try:
        with (
            creating(target) as stream,
            reporter.track(file.filename, file.size) as advance,
            open_session() as session,
            session.get(file.url, timeout=_TIMEOUT, stream=True) as response,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(_CHUNK):
                stream.write(chunk)
                digest.update(chunk)
                advance(len(chunk))
            if digest.hexdigest() != file.sha256:
                raise IndexUnavailable(file.url, "the bytes that arrived have another SHA-256 than the index lists")
    except OSError as error:
        raise IndexUnavailable(file.url, _reason(error)) from error


def local_path(url: str) -> Path | None:
    """Return the file of a `file:` URL; None for any other URL."""
    return _folder(url) if urlsplit(url).scheme == "file" else None


def hidden(text: str) -> str:
    """Return text without the user names and passwords of the URLs in it."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)


def _read_http(index: str, name: NormalizedName) -> Iterator[IndexFile]:
    import requests
    from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError, UnsupportedRepoVersionError

    try:
        with open_session() as session, PyPISimple(index, session=session) as client:
            page = client.get_project_page(name, timeout=_TIMEOUT)
    except NoSuchProjectError:
        return
    except (UnsupportedContentTypeError, UnsupportedRepoVersionError) as error:
        raise IndexUnavailable(
            index, str(error), hint="name a simple repository, such as https://HOST/simple"
        ) from error
    except (requests.RequestException, ValueError) as error:
        raise IndexUnavailable(index, _reason(error)) from error
    yield from _files(page.packages)


def _read_folder(folder: Path, name: NormalizedName) -> Iterator[IndexFile]:
    from pypi_simple import ProjectPage, UnsupportedRepoVersionError

    master, page = folder / name / "index.json", folder / name / "index.html"
    if master.exists():
        base = master.resolve().as_uri()
        try:
            files = ProjectIndex.parse(master.read_bytes()).files
        except VariantPublishError as error:
            raise IndexUnavailable(str(master), error.message, hint=error.hint) from error
        yield from (_absolute(file, base) for file in files)
    elif page.exists():
        try:
            links = ProjectPage.from_html(name, page.read_bytes(), base_url=page.resolve().as_uri())
        except (UnsupportedRepoVersionError, ValueError) as error:
            raise IndexUnavailable(str(page), str(error)) from error
        yield from _files(links.packages)
    else:
        yield from _flat(folder, name)


def _flat(folder: Path, name: NormalizedName) -> Iterator[IndexFile]:
    # The prefixes tell one project's selector files from another's: a wheel's name is unambiguous, theirs are not.
    found: dict[Path, None] = {}
    prefixes = set()
    for path in sorted(folder.glob("*.whl")):
        try:
            wheel = WheelName.parse(path.name)
        except InvalidWheelName:
            continue
        if wheel.project == name:
            found[path] = None
            prefixes.add((name, str(wheel.parsed_version)))
    for pattern in _SELECTOR_FILES:
        for path in sorted(folder.glob(pattern)):
            distribution, version = path.name.removesuffix(pattern[1:]).rpartition("-")[::2]
            if (canonicalize_name(distribution), version) in prefixes:
                found[path] = None
    for path in found:
        yield IndexFile(path.name, path.resolve().as_uri(), "", size=path.stat().st_size)


def _files(packages: Iterable[DistributionPackage]) -> Iterator[IndexFile]:
    for package in packages:
        yield IndexFile(
            filename=package.filename,
            url=package.url,
            sha256=package.digests.get("sha256", ""),
            size=package.size,
            requires_python=package.requires_python,
            metadata_sha256=(package.metadata_digests or {}).get("sha256"),
            upload_time=None if package.upload_time is None else package.upload_time.isoformat(),
            yanked=(package.yanked_reason or "") if package.is_yanked else None,
            provenance=package.provenance_url,
            serves_metadata=bool(package.has_metadata) and "sha256" not in (package.metadata_digests or {}),
        )


def _absolute(file: IndexFile, base: str) -> IndexFile:
    return replace(file, url=urldefrag(urljoin(base, file.url)).url)


def _folder(place: str) -> Path:
    from urllib.request import url2pathname  # not at the top: it brings all of http.client, and most runs read no URL

    parts = urlsplit(place)
    if parts.scheme == "file":
        # `file:dist-index`, as configurations write it, is relative; `file:///srv/index` is not.
        return Path(
            url2pathname(urlunsplit(("", parts.netloc if parts.netloc != "localhost" else "", parts.path, "", "")))
        )
    if "://" in place:
        raise UsageError(f"index {hidden(place)!r} is not a URL that can be read", hint="use https:, file: or a folder")
    return Path(place)


def open_session() -> requests.Session:
    """Return a session that tries again where a server is busy."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    session = requests.Session()
    retry = Retry(_RETRIES, backoff_factor=0.3, status_forcelist=(429, 502, 503, 504), raise_on_status=False)
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _get(url: str, limit: int) -> bytes:
    with open_session() as session, session.get(url, timeout=_TIMEOUT, stream=True) as response:
        response.raise_for_status()
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > limit:
                break
        return bytes(content)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
