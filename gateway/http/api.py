"""What the handlers work with, made once from what `bootstrap` gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from gateway.http.backlog import Backlog
from gateway.http.caller import Caller, Credentials
from gateway.http.metrics import BrokerHealth, Metrics
from gateway.services.act import Actor
from gateway.services.approving import Approvals
from gateway.services.cases import Cases
from gateway.services.closures import Closures
from gateway.services.context import Context
from gateway.services.groups import Groups
from gateway.services.hearing import Hearer
from gateway.services.ledgers import Ledgers
from gateway.services.measure_queries import MeasureQueries
from gateway.services.numbers import Numbers
from gateway.services.page_answers import PageAnswers
from gateway.services.papers import Papers
from gateway.services.ports import Documents
from gateway.services.queries import Queries
from gateway.services.reassigning import Reassigner
from gateway.services.releasing import Releaser
from gateway.services.reporting import Reporting
from gateway.services.roster import DutyRoster
from gateway.services.submit import Submitter
from gateway.services.watch import FeedWatch


@dataclass(slots=True)
class Api:
    """broker_health: None where the wire is not this process's role. access_log: a line for every answer, not only
    for refusals and for readings of personal data. Raises MisuseError (`Credentials`)."""

    context: Context
    submitter: Submitter
    actor: Actor
    documents: Documents
    numbers: Numbers
    wake: Callable[[], None]
    broker_health: Callable[[], BrokerHealth] | None = None
    access_log: bool = False
    credentials: Credentials = field(init=False)
    queries: Queries = field(init=False)
    hearer: Hearer = field(init=False)
    papers: Papers = field(init=False)
    ledgers: Ledgers = field(init=False)
    closures: Closures = field(init=False)
    reporting: Reporting = field(init=False)
    measures: MeasureQueries = field(init=False)
    roster: DutyRoster = field(init=False)
    page_answers: PageAnswers = field(init=False)
    watch: FeedWatch = field(init=False)
    backlog: Backlog = field(init=False)
    metrics: Metrics = field(init=False)
    approvals: Approvals = field(init=False)
    groups: Groups = field(init=False)
    cases: Cases = field(init=False)
    releaser: Releaser = field(init=False)
    reassigner: Reassigner = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = Credentials(self.context)
        self.queries = Queries(self.context)
        self.hearer = Hearer(self.context)
        self.papers = Papers(self.context, self.documents)
        self.ledgers = Ledgers(self.context)
        self.closures = Closures(self.context)
        self.reporting = Reporting(self.context)
        self.measures = MeasureQueries(self.context)
        self.roster = DutyRoster(self.context)
        self.page_answers = PageAnswers(self.context, self.actor)
        self.watch = FeedWatch(self.context)
        self.backlog = Backlog(self.context)
        self.metrics = Metrics(self.context, self.broker_health)
        self.approvals = Approvals(self.context, self.wake)
        self.groups = Groups(self.context, self.wake)
        self.cases = Cases(self.context)
        self.releaser = Releaser(self.context, self.submitter, self.numbers, self.wake)
        self.reassigner = Reassigner(self.context, self.submitter, self.numbers, self.wake)


API = web.AppKey("api", Api)
REQUEST_ID = web.RequestKey("request-id", str)
CALLER = web.RequestKey("caller", Caller)
