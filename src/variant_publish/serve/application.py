"""The view as a WSGI application: `/simple/PROJECT/` and `/files/PROJECT/FILE` below a prefix."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from packaging.utils import canonicalize_name
from packaging.version import Version
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Request, Response

from variant_publish.errors import VariantPublishError
from variant_publish.model.url import redact
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import LONGEST, Transport
from variant_publish.serve.projects import Projects, SeenProject, passes_through
from variant_publish.serve.view_page import HTML, JSON, TEXT, entries, html_page, json_page
from variant_publish.view.view import ViewFile

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CHUNK = 1 << 16
_FOR_EVER = 365 * 24 * 3600
_PASSED = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")


class ViewApplication:
    """Answer requests for one machine; `problem` is told what went wrong, once for each request.

    With `host`, requests for any other host are refused: a web page that makes a browser ask for a name of its own
    which leads here learns nothing.
    """

    def __init__(
        self,
        projects: Projects,
        prefix: str = "",
        host: str | None = None,
        problem: Callable[[VariantPublishError], object] = lambda error: None,
    ) -> None:
        self.projects, self.prefix, self.host, self.problem = projects, prefix, host, problem

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        response = self.respond(Request(environ))
        return response(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Return the answer to a request; whatever is wrong becomes a status."""
        try:
            return self._route(request)
        except HTTPException as error:
            return Response(error.description or error.name, error.code or 500, mimetype="text/plain")
        except VariantPublishError as error:
            self.problem(error)
            text = " ".join(redact(str(error)).split())
            return Response(f"{text}\n", f"424 {_ascii(text)}", mimetype="text/plain")

    def _route(self, request: Request) -> Response:
        if self.host is not None and request.host != self.host:
            raise NotFound
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(["GET", "HEAD"])
        if not request.path.startswith(f"{self.prefix}/"):
            raise NotFound
        parts = request.path.removeprefix(f"{self.prefix}/").split("/")
        match parts:
            case ["simple", ""]:
                return _negotiated(request, json_root(), html_page("a view", []))
            case ["simple", project]:
                return redirect(f"{request.script_root}{self.prefix}/simple/{quote(canonicalize_name(project))}/", 308)
            case ["simple", project, ""] if project == canonicalize_name(project):
                return self._page(request, project)
            case ["simple", project, ""]:
                return redirect(f"../{quote(canonicalize_name(project))}/", 308)
            case ["files", project, filename]:
                return self._file(request, project, unquote(filename))
        raise NotFound

    def _page(self, request: Request, project: str) -> Response:
        seen = self.projects.find(project)
        if seen is None:
            raise NotFound(f"no index has {project}")
        if seen.address is not None:
            return redirect(seen.address, 302)
        _raise_problem(seen)
        listed = list(entries(seen, f"../../files/{project}/"))
        versions = [str(version) for version in sorted({file.version for file in seen.view.files})]
        return _negotiated(request, json_page(project, listed, versions), html_page(project, listed))

    def _file(self, request: Request, project: str, filename: str) -> Response:
        metadata = filename.endswith(".metadata")
        seen = self.projects.find(project)
        file = None if seen is None else seen.file(filename.removesuffix(".metadata"))
        if file is None:
            raise NotFound(f"{project} has no {filename}")
        if metadata:
            return self._metadata(request, file)
        self.projects.check_pins(file)
        if file.is_rewritten:
            path = self.projects.wheel(file)
            return send_file(path, request.environ, mimetype=_type_of(filename), max_age=_FOR_EVER)
        here = local_path(file.source.url)
        if here is not None:
            if not here.is_file():
                raise NotFound(f"{here} is listed and not there")
            if here.suffix == ".whl":
                self.projects.metadata(file)  # else the installer would have to find out that it is unreadable
            return send_file(here, request.environ, mimetype=_type_of(filename), etag=file.source.sha256 or True)
        return _passed(request, file.source.url) if passes_through(file.source.url) else redirect(file.source.url, 302)

    def _metadata(self, request: Request, file: ViewFile) -> Response:
        url = file.source.metadata_url
        if url is not None and not file.is_rewritten and not passes_through(url):
            return redirect(url, 302)
        return _conditional(request, Response(self.projects.metadata(file), mimetype="text/plain"))


def _raise_problem(seen: SeenProject) -> None:
    """Raise what is wrong with the newest release: no older one may silently stand in for it."""
    problems = seen.view.problems
    final = [file.version for file in seen.view.files if file.name is not None and not file.version.is_prerelease]
    newest = max((version for version in problems if not version.is_prerelease), default=None)
    if newest is not None and newest >= max(final, default=Version("0")):
        raise problems[newest]


def json_root() -> str:
    """Return the list of projects: a view does not list them."""
    return '{"meta": {"api-version": "1.0"}, "projects": []}'


def _negotiated(request: Request, as_json: str, as_html: str) -> Response:
    wanted = request.accept_mimetypes.best_match([TEXT, HTML, JSON], default=TEXT)
    text = as_json if wanted == JSON else as_html
    response = Response(text, content_type=wanted if wanted == JSON else f"{wanted}; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept"
    return _conditional(request, response)


def _conditional(request: Request, response: Response) -> Response:
    response.add_etag()
    return response.make_conditional(request.environ, accept_ranges=True, complete_length=response.content_length)


def _passed(request: Request, url: str) -> Response:
    """Pass bytes through from where credentials are needed; ranges and conditions go along."""
    headers = {name: value for name in ("Range", "If-None-Match", "If-Range") if (value := request.headers.get(name))}
    stack = ExitStack()
    opened = Transport().opened(request.method, url, {"Accept-Encoding": "identity", **headers}, range(400, 600))
    answer, deadline = stack.enter_context(opened)
    deadline.restart(LONGEST)

    def chunks() -> Iterator[Any]:
        with stack:
            yield from answer.iter_content(_CHUNK)

    passed = {name: answer.headers[name] for name in _PASSED if name in answer.headers}
    return Response(chunks(), answer.status_code, passed, direct_passthrough=True)


def _type_of(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()[:300]
