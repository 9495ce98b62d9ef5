"""Your own sample through several deployments: cost, time to the first content and to the end, failures, agreement.

byollm compare --task documents --data samples.jsonl --max-cost 0.50 --html compare.html
"""

from byollm_compare.agreement import agreement, f1
from byollm_compare.asking import Answer, Asker, Purse
from byollm_compare.errors import ResultsError, SampleError
from byollm_compare.estimate import Estimate, estimate
from byollm_compare.report import Difference, Report, Summary, report
from byollm_compare.samples import Sample, read_samples

__all__ = [
    "Answer",
    "Asker",
    "Difference",
    "Estimate",
    "Purse",
    "Report",
    "ResultsError",
    "Sample",
    "SampleError",
    "Summary",
    "agreement",
    "estimate",
    "f1",
    "read_samples",
    "report",
]
