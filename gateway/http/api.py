"""What the handlers work with, made once from what `bootstrap` gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from gateway.application.alerts.duty_roster import DutyRoster
from gateway.application.alerts.page_answers import PageAnswers
from gateway.application.cases.approve import Approvals
from gateway.application.cases.closures import Closures
from gateway.application.cases.reassign import Reassigner
from gateway.application.cases.release import Releaser
from gateway.application.context import Context
from gateway.application.conversation.groups import Groups
from gateway.application.conversation.send_verb import Actor
from gateway.application.marks import MarkKeeper
from gateway.application.ports.papers import Documents
from gateway.application.queries.cases import Cases
from gateway.application.queries.feed_watch import FeedWatch
from gateway.application.queries.ledgers import Ledgers
from gateway.application.queries.measures import MeasureQueries
from gateway.application.queries.reports import Reporting
from gateway.application.queries.requests import Queries
from gateway.application.recovery.doubts import Doubts
from gateway.application.recovery.readiness import Readiness
from gateway.application.submission.documents import DocumentQuota, Papers
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import Submitter
from gateway.core.readiness import Wire
from gateway.http.admission import Backlog, Budgets, Caller, Credentials, Replays
from gateway.http.connections import Connections, Network
from gateway.monitoring.collected import BrokerHealth
from gateway.monitoring.metrics import Metrics


@dataclass(slots=True)
class Api:
    """broker_health: None where the wire is not this process's role. marks: None where nothing is numbered for good
    (`application.marks`). access_log: a line for every answer, not only
    for refusals and for readings of personal data. proxies: of ours, in front."""

    context: Context
    submitter: Submitter
    actor: Actor
    documents: Documents
    numbers: Numbers
    wake: Callable[[], None]
    metrics: Metrics
    broker_health: Callable[[], BrokerHealth] | None = None
    marks: MarkKeeper | None = None
    access_log: bool = False
    proxies: Sequence[Network] = ()
    connections: Connections = field(init=False)
    credentials: Credentials = field(init=False)
    budgets: Budgets = field(init=False)
    doubts: Doubts = field(init=False)
    queries: Queries = field(init=False)
    papers: Papers = field(init=False)
    quota: DocumentQuota = field(init=False)
    replays: Replays = field(init=False)
    ledgers: Ledgers = field(init=False)
    closures: Closures = field(init=False)
    reporting: Reporting = field(init=False)
    measures: MeasureQueries = field(init=False)
    roster: DutyRoster = field(init=False)
    page_answers: PageAnswers = field(init=False)
    watch: FeedWatch = field(init=False)
    backlog: Backlog = field(init=False)
    readiness: Readiness = field(init=False)
    approvals: Approvals = field(init=False)
    groups: Groups = field(init=False)
    cases: Cases = field(init=False)
    releaser: Releaser = field(init=False)
    reassigner: Reassigner = field(init=False)

    def __post_init__(self) -> None:
        context = self.context
        self.connections = Connections(context.bounds, context.reached, self.proxies)
        self.credentials = Credentials(context)
        self.budgets = Budgets(context)
        self.doubts = Doubts(context)
        self.queries = Queries(self.context)
        self.papers = Papers(self.context, self.documents)
        self.quota = DocumentQuota(context)
        self.replays = Replays(context)
        self.ledgers = Ledgers(self.context)
        self.closures = Closures(self.context)
        self.reporting = Reporting(self.context)
        self.measures = MeasureQueries(self.context)
        self.roster = DutyRoster(self.context)
        self.page_answers = PageAnswers(self.context, self.actor)
        self.watch = FeedWatch(self.context)
        self.backlog = Backlog(self.context)
        self.readiness = Readiness(
            self.context,
            self.backlog.check,
            self._wire if self.broker_health else None,
            marks=None if self.marks is None else self.marks.why_not,
        )
        self.approvals = Approvals(self.context, self.wake)
        self.groups = Groups(self.context, self.wake)
        self.cases = Cases(self.context)
        self.releaser = Releaser(self.context, self.submitter, self.numbers, self.wake)
        self.reassigner = Reassigner(self.context, self.submitter, self.numbers, self.wake)

    def _wire(self) -> Wire:
        assert self.broker_health is not None
        health = self.broker_health()
        return Wire(health.connected, health.blocked, len(health.missing), len(health.silent))


INCARNATION_HEADER = "Lianzhi-Incarnation"
"""In each answer: which life of the store this is. In a POST: the one in which it was made (docs/adr/0030)."""
API = web.AppKey("api", Api)
REQUEST_ID = web.RequestKey("request-id", str)
CALLER = web.RequestKey("caller", Caller)
