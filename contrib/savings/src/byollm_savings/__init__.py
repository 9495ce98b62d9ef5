"""What another provider would have cost: workload files, vendors' exports and the ledger, priced at their instants.

from byollm_savings import Costing, Quotes, judge, read_workload
for found in judge(read_workload("workload.yaml"), Costing(Quotes())): print(found.claim.says, found.verdict)
"""

from byollm_savings.cost import Costing
from byollm_savings.errors import ExportError, RecordError, UnknownPriceError
from byollm_savings.judge import Dependence, Judgement, judge
from byollm_savings.quotes import Kind, Quotes, quotes_of
from byollm_savings.reading import parse_workload, read_workload
from byollm_savings.workload import Workload

__all__ = [
    "Costing",
    "Dependence",
    "ExportError",
    "Judgement",
    "Kind",
    "Quotes",
    "RecordError",
    "UnknownPriceError",
    "Workload",
    "judge",
    "parse_workload",
    "quotes_of",
    "read_workload",
]
