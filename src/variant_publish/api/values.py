"""What the library takes and gives: configuration, variants, machines, wheels, errors, progress."""

from variant_publish.archive.retag import Rename, Retagged, Rewrite
from variant_publish.config import Config
from variant_publish.config_tables import UploadTable
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.host.machine import Machine
from variant_publish.host.preferences import Preferences
from variant_publish.installation.environment import Environment
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import Dialect, Properties, Property, Variant
from variant_publish.model.wheel_name import WheelName
from variant_publish.progress import SILENT, Reporter
from variant_publish.selection import Candidate, Indexes, Selection

__all__ = [
    "SILENT",
    "Candidate",
    "Config",
    "Dialect",
    "Environment",
    "Indexes",
    "Machine",
    "Preferences",
    "Properties",
    "Property",
    "Rename",
    "Reporter",
    "Retagged",
    "Rewrite",
    "Selection",
    "TaggedRequirement",
    "UploadTable",
    "UsageError",
    "Variant",
    "VariantPublishError",
    "WheelName",
]
