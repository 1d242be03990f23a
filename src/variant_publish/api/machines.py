"""The values that describe machines, and what they get: kept apart, because retagging needs none of them."""

from variant_publish.formats.host_file import HostFile
from variant_publish.install.environment import Environment
from variant_publish.providers.machine import Machine
from variant_publish.providers.preferences import Preferences
from variant_publish.view import Candidate, Indexes, Selection

__all__ = [
    "Candidate", "Environment", "HostFile", "Indexes", "Machine", "Preferences", "Selection",
]  # fmt: skip
