"""Which wheel of a release a machine gets, and the one reason why each other wheel lost."""

from variant_publish.view.choice import Candidate, Selection, TagDemand, choose
from variant_publish.view.from_index import select
from variant_publish.view.indexes import Indexes

__all__ = ["Candidate", "Indexes", "Selection", "TagDemand", "choose", "select"]
