"""What the tests told the server, and what the server was asked: shared between threads, guarded by one lock."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from byollm_sandbox.faults import Fault
from byollm_sandbox.plans import BatchPlan
from byollm_sandbox.requests import Recorded


@dataclass(slots=True)
class _Order:
    name: str | None
    dialect: str | None
    value: Any
    times: int | None = 1
    operation: str | None = None

    def fits(self, request: Recorded) -> bool:
        if self.operation not in (None, request.operation) or self.name not in (None, request.name):
            return False
        # Files and batches of OpenAI are the same endpoints for both of its dialects.
        shared = str(request.operation).startswith(("file-", "batch-")) and request.operation != "batch-create"
        dialect = "openai-chat" if shared and self.dialect == "openai-responses" else self.dialect
        return dialect in (None, request.dialect)


class Desk:
    """Queues of answers, faults and plans for batches, and the record of requests.

    The first entry that fits a request is taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: list[_Order] = []
        self._faults: list[_Order] = []
        self._plans: list[_Order] = []
        self._requests: list[Recorded] = []

    def add_answer(self, value: Any, name: str | None, dialect: str | None) -> None:
        """One more answer at the end of the queue."""
        with self._lock:
            self._answers.append(_Order(name, dialect, value))

    def add_fault(
        self, fault: Fault, name: str | None, dialect: str | None, times: int | None, operation: str | None = None
    ) -> None:
        """One more fault at the end of the queue, for the next `times` requests it fits (None: for all)."""
        with self._lock:
            self._faults.append(_Order(name, dialect, fault, times, operation))

    def add_plan(self, plan: BatchPlan, name: str | None, dialect: str | None, times: int | None) -> None:
        """One more plan at the end of the queue, for the next `times` batches it fits (None: for all)."""
        with self._lock:
            self._plans.append(_Order(name, dialect, plan, times))

    def next_answer(self, request: Recorded) -> Any:
        """The scripted answer for a request, taken from the queue; None when there is none."""
        with self._lock:
            return self._take(self._answers, request)

    def next_fault(self, request: Recorded) -> Fault | None:
        """The fault for a request; None when all is well."""
        with self._lock:
            fault: Fault | None = self._take(self._faults, request)
            return fault

    def next_plan(self, request: Recorded) -> BatchPlan | None:
        """The plan for a batch that is being created; None when none was made."""
        with self._lock:
            plan: BatchPlan | None = self._take(self._plans, request)
            return plan

    def record(self, request: Recorded) -> None:
        """Note a request and give it its number."""
        with self._lock:
            self._requests.append(request)
            request.number = len(self._requests)

    def requests(self) -> list[Recorded]:
        """All requests so far."""
        with self._lock:
            return list(self._requests)

    def waiting(self) -> int:
        """How many scripted answers nobody has asked for yet."""
        with self._lock:
            return len(self._answers)

    def clear(self) -> None:
        """Forget answers, faults, plans and requests."""
        with self._lock:
            self._answers.clear()
            self._faults.clear()
            self._plans.clear()
            self._requests.clear()

    @staticmethod
    def _take(orders: list[_Order], request: Recorded) -> Any:
        for index, order in enumerate(orders):
            if order.fits(request):
                if order.times is not None:
                    order.times -= 1
                    if order.times <= 0:
                        del orders[index]
                return order.value
        return None
