"""Where views lie and where users find them, and the links from there to the files of the extra index."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec.structs import replace

from variant_publish.config.tables import TABLE, UploadTable
from variant_publish.errors import UsageError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.url import redact
from variant_publish.store.places import folder_of


def place_of_view(upload: UploadTable, name: str) -> str:
    """Return the place that one view lies in."""
    return f"{(upload.views or '').rstrip('/')}/{name}"


def views_address(upload: UploadTable) -> str:
    """Return where users find the views: as configured, else by where the extra index is found; "" where nobody knows.

    Where the public address of the extra index ends like its place, whatever serves that serves what lies beside it.
    """
    if upload.views_url is not None:
        return redact(upload.views_url.rstrip("/"))
    if upload.public_url is None or upload.views is None or (places := _beside(upload)) is None:
        return ""
    extra, views = places
    head, _, last = upload.public_url.rstrip("/").rpartition("/")
    below = posixpath.relpath(views, posixpath.dirname(extra) or ".")
    if not extra or unquote(last) != posixpath.basename(extra) or below.startswith(".."):
        return ""
    return redact(f"{head}/{quote(below)}")


def base_of_links(upload: UploadTable, name: str, project: str) -> str | None:
    """Return where the project's files on the extra index lie, for links on a view's page; None where nobody knows."""
    is_inside = (upload.views or "").startswith(f"{upload.extra_index.rstrip('/')}/")
    if upload.public_url is not None and not is_inside:  # what lies inside is served with it, wherever that is
        return f"{redact(upload.public_url).rstrip('/')}/{project}/"
    if (places := _beside(upload)) is None:
        return None
    extra, views = places
    return f"{quote(posixpath.relpath(posixpath.join(extra, project), posixpath.join(views, name, project)))}/"


def _beside(upload: UploadTable) -> tuple[str, str] | None:
    """Return the paths of extra index and views where both lie on one disk or in one bucket."""
    extra, views = upload.extra_index, upload.views or ""
    if extra.startswith("file:") and views.startswith("file:"):
        paths = [folder_of(place).resolve() for place in (extra, views)]
        return (paths[0].as_posix(), paths[1].as_posix()) if paths[0].drive == paths[1].drive else None
    one, two = urlsplit(extra), urlsplit(views)
    if (one.scheme, one.netloc) == (two.scheme, two.netloc) and one.netloc:
        return unquote(one.path).strip("/"), unquote(two.path).strip("/")
    return None


def unreachable(filename: str) -> UsageError:
    """Make the error for a file of the extra index that no view can link."""
    return UsageError(
        f"no view can link {filename}, since the public address of the extra index is not known",
        hint=f"set {TABLE}.upload.public-url",
    )


def linked(entry: IndexFile, base: str | None) -> IndexFile:
    """Return an entry of the extra index with an address that holds on the page of a view.

    Raises UsageError where the extra index has no known address and the entry's is relative to it.
    """
    if urlsplit(entry.url).scheme:
        return entry
    if base is None:
        raise unreachable(entry.filename)
    url = urljoin(base, entry.url) if "://" in base else posixpath.normpath(base + entry.url)
    return replace(entry, url=url)
