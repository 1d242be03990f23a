"""The values that the library takes and returns: configuration, variants, machines, wheels, errors, progress."""

from variant_publish.archive.retag import Rename, Retagged, Rewrite
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.install.environment import Environment
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import Properties, Property, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.providers.preferences import Preferences
from variant_publish.view import Candidate, Indexes, Selection

__all__ = [
    "SILENT",
    "Candidate",
    "Config",
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
