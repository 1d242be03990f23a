"""Which wheel of a release a machine gets, and the one reason why each other wheel lost."""

from variant_publish.selection.choice import Candidate, Selection, choose
from variant_publish.selection.from_index import select

__all__ = ["Candidate", "Selection", "choose", "select"]
