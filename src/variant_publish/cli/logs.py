"""What happens on the wire, on stderr and without secrets: one line a request with -v, all that is known with -vv."""

from __future__ import annotations

import logging
import os
import re
import sys

from variant_publish.model.url import redact

_REQUESTS = "urllib3.connectionpool"
_DETAILS = ("botocore.auth", "botocore.credentials", "botocore.parsers", "botocore.retries", "botocore.utils", "twine")
_LONGEST = 2000
_LEAST = 6
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|ACCESS_KEY|API_KEY", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"((?:authorization|security-token|signature|credential|password|secret|token)[a-z_-]*[\"']?\s*[:=]\s*b?[\"']?)"
    r"[^\"'\n,;}&]+",
    re.IGNORECASE,
)


class Redacting(logging.Formatter):
    """Write a record on one line, without what could be a credential."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")
        found = {value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= _LEAST}
        self.secrets = sorted(found, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record)
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = " | ".join(_SECRET_TEXT.sub(r"\1***", redact(text)).splitlines())
        return text[:_LONGEST]


def show_logs(verbosity: int) -> None:
    """Show requests (1), and how they are signed, answered and tried again (2 or more); 0 shows nothing."""
    if not verbosity:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting())
    for name in (_REQUESTS, *(_DETAILS if verbosity > 1 else ())):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
