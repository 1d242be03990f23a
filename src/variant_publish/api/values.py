"""The values that the library takes and returns: configuration, variants, wheels, errors, progress."""

from variant_publish.archive.retag import Rename, Retagged, Rewrite
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn, UploadTable
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.registry import DIALECTS, dialect_of
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import Properties, Property, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.catalog import properties_of_words, tags_of

__all__ = [
    "DIALECTS", "SILENT", "Config", "Dialect", "FailOn", "Properties", "Property", "Rename", "Reporter",
    "Retagged", "Rewrite", "TaggedRequirement", "UploadTable", "UsageError", "Variant", "VariantPublishError",
    "WheelName", "dialect_of", "properties_of_words", "tags_of",
]  # fmt: skip
