"""What one machine sees of an index: plain files without variants, and why each other file is not among them."""

from variant_publish.view.choice import Candidate, Selection, choose
from variant_publish.view.from_index import select
from variant_publish.view.indexes import Indexes
from variant_publish.view.ranking import in_order
from variant_publish.view.view import View, ViewFile
from variant_publish.view.wish import Wish

__all__ = ["Candidate", "Indexes", "Selection", "View", "ViewFile", "Wish", "choose", "in_order", "select"]
