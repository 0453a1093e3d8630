"""`lianzhi.toml`, environment `LIANZHI_*`, and secret files: one typed configuration (docs/contracts.md 3.5)."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.bounds import Bounds
from gateway.core.alarms.conditions import Severity
from gateway.core.alarms.terms import AlarmTerms, Recipient, Way
from gateway.core.approvals import ApprovalTerms
from gateway.core.figures.ledgers import TERMS, LedgerTerms
from gateway.core.settings import Settings, Terms
from gateway.core.time.calendar import OfficeHours
from gateway.registry import addresses
from gateway.registry.operators import read_operators
from lianzhi.amqp.address import wrong_addresses
from lianzhi.crypto.limits import Limits
from lianzhi.errors import ConfigurationError
from lianzhi.protocol.rules import all_told
from lianzhi.spans import TracingSettings, wrong_endpoint, wrong_ratio, wrong_service
from lianzhi.text_files import line_of_member, look_into, read_secret, read_text, read_toml
from schemas.catalogue import Deadline, DeadlineKind, catalogue

FILE = "lianzhi.toml"
DEFAULT_FOLDER = Path(".lianzhi")
WHERE = (
    "已有安装的，用 --dir 或 export LIANZHI_FOLDER=目录 指明其目录；新建安装才运行 lianzhi init。",
    "Where there is an installation, name its folder: --dir FOLDER or export LIANZHI_FOLDER=FOLDER. Only for a new one"
    " run `lianzhi init`.",
)
"""What to do where a folder holds no installation: that of one which is there is named first."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSection(_Section):
    """url: `sqlite:///lianzhi.sqlite` (relative to the folder) or `postgresql://…`."""

    url: str = "sqlite:///lianzhi.sqlite"


class BrokerSection(_Section):
    """url without password, or a list of them, the nodes of one cluster, tried in turn; password_file: one line,
    readable by the gateway alone. ca_file: who issued the broker's certificate (PEM), for `amqps` and for an https
    `management`; absent, the system's authorities. replicas: members of each queue that `broker apply` makes; absent,
    by the size of the cluster (`gateway.broker.topology.replicas_for`)."""

    url: str | tuple[str, ...] = "amqp://lianzhi-gateway@127.0.0.1:5672/lianzhi"
    password_file: str | None = None
    management: str = "http://127.0.0.1:15672"
    ca_file: str | None = None
    prefetch: int = Field(default=2000, ge=1)
    replicas: int | None = Field(default=None, ge=1, le=9)

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url,) if isinstance(self.url, str) else self.url

    @property
    def user(self) -> str:
        return unquote(urlsplit(self.urls[0]).username or "")

    @property
    def has_password(self) -> bool:
        """Whether the user logs in by a password at all: one with a client certificate has none (`auth=external`)."""
        return "external" not in parse_qs(urlsplit(self.urls[0]).query).get("auth", [])

    @property
    def password(self) -> str | None:
        """Where it stands in the address itself."""
        found = urlsplit(self.urls[0]).password
        return None if found is None else unquote(found)

    @model_validator(mode="after")
    def _addresses(self) -> BrokerSection:
        if wrong := wrong_addresses(self.urls):
            raise ValueError("url: " + " ".join(wrong))
        if self.ca_file is not None and any("cafile" in parse_qs(urlsplit(url).query) for url in self.urls):
            raise ValueError("ca_file 与地址中的 cafile 只写其一 ca_file or cafile in the URL, not both")
        return self

    @field_validator("management")
    @classmethod
    def _no_parameters(cls, url: str) -> str:
        return _plain(url)


class HttpSection(_Section):
    """Loopback by default; put TLS in front before you listen elsewhere (deploy/nginx.conf). proxies: addresses and
    networks of what stands in front: its `Forwarded` or `X-Forwarded-For` is believed, nobody else's. metrics_port:
    `/metrics` has a listener of its own, for no token is asked there; absent, the port after the API's.
    metrics_without_api: processes without the role `api` have that listener too; of several on one machine each needs
    its own port (LIANZHI_HTTP__METRICS_PORT)."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    proxies: tuple[IPvAnyNetwork, ...] = ()
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_without_api: bool = False


class DocumentsSection(_Section):
    folder: str = "documents"


class TimingSection(_Section):
    """Seconds; the meaning of each stands in `gateway.core.settings.Settings`."""

    redeliver_after: float = Field(default=900, gt=0)
    redeliver_times: int = Field(default=3, ge=0)
    gap_after: float = Field(default=3600, gt=0)
    mend_every: float = Field(default=15, gt=0)
    lease_term: float = Field(default=30, gt=0)
    publish_timeout: float = Field(default=10, gt=0)
    calendar_poll: float = Field(default=30, gt=0)


class TermsSection(_Section):
    """Days, hours and minutes of the clocks; the meaning of each stands in `gateway.core.settings.Terms`."""

    urgent_hours: int = Field(default=24, ge=1)
    receipt_days: int = Field(default=1, ge=1)
    receipt_always_minutes: float = Field(default=10, gt=0)
    supplement_days: int = Field(default=3, ge=1)
    objection_days: int = Field(default=15, ge=1)
    confirm_days: int = Field(default=3, ge=1)
    withdrawal_days: int = Field(default=1, ge=1)
    withdrawal_fast_hours: int = Field(default=1, ge=1)
    fast: list[str] = list(Terms().fast)
    approval_days: int = Field(default=1, ge=1)
    approval_urgent_hours: int = Field(default=4, ge=1)
    unsent_minutes: float = Field(default=15, gt=0)
    blocked_minutes: float = Field(default=60, gt=0)
    remind_before_hours: float = Field(default=24, gt=0)
    urge_again_days: int = Field(default=1, ge=1)
    supervise_days: int = Field(default=3, ge=1)
    escalate_days: int = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> TermsSection:
        if not self.urge_again_days < self.supervise_days < self.escalate_days:
            raise ValueError("再次催办、督办、升级须先后相接 urge again, supervise, escalate must come in this order")
        return self

    def terms(self) -> Terms:
        """The core's view."""
        return Terms(
            urgent=_hours(self.urgent_hours),
            receipt_days=self.receipt_days,
            receipt_always=timedelta(minutes=self.receipt_always_minutes),
            supplement=Deadline(DeadlineKind.LEGAL_DAYS, self.supplement_days),
            objection=Deadline(DeadlineKind.LEGAL_DAYS, self.objection_days),
            confirm=_working(self.confirm_days),
            withdrawal=_working(self.withdrawal_days),
            withdrawal_fast=_hours(self.withdrawal_fast_hours),
            fast=tuple(self.fast),
            approval=_working(self.approval_days),
            approval_urgent=_hours(self.approval_urgent_hours),
            unsent=timedelta(minutes=self.unsent_minutes),
            blocked=timedelta(minutes=self.blocked_minutes),
            remind_before=timedelta(hours=self.remind_before_hours),
            urge_again=self.urge_again_days,
            supervise=self.supervise_days,
            escalate=self.escalate_days,
        )


class LedgersSection(_Section):
    """Days, months, years: what the law or the superior court gives (docs/domain.md 2.10). fund_days has moved."""

    fund_days: int | None = None
    petition_days: int = Field(default=30, ge=1)
    recheck_months: int = Field(default=6, ge=1)
    recheck_years: int = Field(default=5, ge=1)

    @field_validator("fund_days")
    @classmethod
    def _moved(cls, days: int | None) -> None:
        if days is not None:
            raise ValueError(
                "案款发放期限已移至 law/terms.toml 的 fund-payout，请在那里填写后删除本项"
                " it is the term fund-payout in law/terms.toml now: write it there and delete this"
            )


class ApprovalsSection(_Section):
    """bound: `required` refuses an approval that does not name what it is over, `event` only tells (docs/adr/0024).
    max_age_days: from the approval to the submission; max_age_days_of: by matter type."""

    bound: Literal["event", "required"] = "event"
    max_age_days: float = Field(default=7, gt=0, le=3660)
    max_age_days_of: dict[str, Annotated[float, Field(gt=0, le=3660)]] = {}

    @field_validator("max_age_days_of")
    @classmethod
    def _known(cls, days: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(days.keys() - catalogue().keys()):
            raise ValueError(f"没有这些事项 no such matter types: {', '.join(unknown)}")
        return days

    def terms(self) -> ApprovalTerms:
        """The core's view."""
        return ApprovalTerms(
            self.bound == "required",
            timedelta(days=self.max_age_days),
            {matter: timedelta(days=days) for matter, days in self.max_age_days_of.items()},
        )


class ReportSection(_Section):
    """office_hours: when the court works on a working day; the report's working hours are counted by them."""

    office_hours: tuple[tuple[time, time], ...] = ((time(8, 30), time(12)), (time(13, 30), time(18)))

    @field_validator("office_hours")
    @classmethod
    def _in_order(cls, spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
        ends = [moment for span in spans for moment in span]
        if not spans or any(a >= b for a, b in pairwise(ends)):
            raise ValueError("办公时间须先后有序、互不重叠 The spans are in order and do not overlap")
        return spans


Host = Annotated[str, AfterValidator(addresses.host)]
WebAddress = Annotated[str, AfterValidator(addresses.web_address)]


class WebhookSection(_Section):
    """url: of the court's SMS and voice platform; secret_file: one line, `whsec_…`, shared with it."""

    url: WebAddress
    secret_file: str = Field(min_length=1)


class MailSection(_Section):
    """tls: `none` only for a server on this machine."""

    host: Host
    port: int = Field(default=587, ge=1, le=65535)
    sender: Annotated[str, AfterValidator(addresses.mail_address)]
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: Annotated[str, AfterValidator(addresses.ascii_word)] | None = None
    password_file: str | None = None


class NotifySection(_Section):
    """Who is paged on an alert, and how. *_minutes: after the alert was raised (docs/domain.md 3). public_url: where
    the platform reaches this gateway's API. digest: addresses that get the operators' mail at 8:00 each day.
    digest_people: whether handlers and leaders with an address in the roster get a mail then of what is late."""

    webhook: WebhookSection | None = None
    mail: MailSection | None = None
    public_url: Annotated[str, AfterValidator(addresses.web_address_or_none)] = ""
    backup_minutes: float = Field(default=5, gt=0)
    desk_minutes: float = Field(default=10, gt=0)
    chief_minutes: float = Field(default=15, gt=0)
    digest_people: bool = True
    digest: tuple[Annotated[str, AfterValidator(addresses.mail_address)], ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _digest_by_mail(self) -> NotifySection:
        if self.digest and self.mail is None:
            raise ValueError("digest 由邮件发出，须有 [notify.mail] It goes by mail: [notify.mail] is missing")
        return self

    @field_validator("public_url")
    @classmethod
    def _no_parameters(cls, url: str) -> str:
        return _plain(url)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(name for name in ("webhook", "mail") if getattr(self, name) is not None)


class TracingSection(_Section):
    """Traces by OTLP over HTTP (docs/handbook/traces.md): `lianzhi.spans.TracingSettings`. Without an endpoint nothing
    is traced."""

    endpoint: str | None = None
    service: str = "lianzhi-gateway"
    ratio: float = 1.0

    @model_validator(mode="after")
    def _right(self) -> TracingSection:
        if self.endpoint is None and self.model_fields_set:
            raise ValueError("缺 endpoint：采集器的地址 endpoint is missing: the collector's URL")
        for name, wrong in (
            ("endpoint", None if self.endpoint is None else wrong_endpoint(self.endpoint)),
            ("service", wrong_service(self.service)),
            ("ratio", wrong_ratio(self.ratio)),
        ):
            if wrong:
                raise ValueError(f"{name}: " + " ".join(wrong))
        return self

    def settings(self) -> TracingSettings | None:
        """The library's view."""
        return None if self.endpoint is None else TracingSettings(self.endpoint, self.service, self.ratio)


Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Quiet = tuple[time, time]


class _RecipientSection(_Section):
    """least: what is less severe is not told. quiet: from, until, in Shanghai: warnings wait until it is over."""

    least: Severity = "warning"
    quiet: Quiet | None = None

    @field_validator("quiet")
    @classmethod
    def _some_hours(cls, quiet: Quiet | None) -> Quiet | None:
        if quiet is not None and (quiet[0] == quiet[1] or any(one.tzinfo is not None for one in quiet)):
            raise ValueError('须为两个不同的时刻，如 ["22:00", "07:00"] two different times of day')
        return quiet

    def recipient(self, way: Way, name: str) -> Recipient:
        """The core's view."""
        return Recipient(way, name, self.least, self.quiet)


class AlertMailSection(_RecipientSection):
    """to: one address, reached by `[notify.mail]`."""

    to: Annotated[str, AfterValidator(addresses.mail_address)]


class AlertWebhookSection(_RecipientSection):
    """url: of what takes alerts; secret_file: one line, `whsec_…`, shared with it."""

    url: WebAddress
    secret_file: str = Field(min_length=1)


Minutes = Annotated[float, Field(gt=0, le=60 * 24 * 30)]
Days = Annotated[float, Field(gt=0, le=3660)]


class AlertsSection(_Section):
    """Who is told of what is wrong, `[alerts.mail.NAME]` and `[alerts.webhook.NAME]`, and from when on something is;
    the meaning of each threshold stands in `gateway.core.alarms.terms.AlarmTerms`. handbook: where docs/handbook is
    published."""

    mail: dict[Label, AlertMailSection] = Field(default={}, max_length=20)
    webhook: dict[Label, AlertWebhookSection] = Field(default={}, max_length=20)
    handbook: Annotated[str, AfterValidator(addresses.web_address_or_none)] = ""
    message_minutes: Minutes = 60
    deadline_minutes: Minutes = 120
    hit_minutes: Minutes = 5
    signatures: int = Field(default=3, ge=1)
    clock_seconds: float = Field(default=60, gt=0)
    key_days: Days = 30
    key_last_days: Days = 7
    log_minutes: Minutes = 30
    disk_low_mib: int = Field(default=2048, ge=1)
    disk_full_mib: int = Field(default=256, ge=1)
    backlog_percent: float = Field(default=50, gt=0, le=100)
    backlog_full_percent: float = Field(default=90, gt=0, le=100)
    backup_days: Days = 2
    backup_stopped_days: Days = 8
    clear_minutes: Minutes = 5

    @model_validator(mode="after")
    def _in_order(self) -> AlertsSection:
        for less, more in (
            ("key_last_days", "key_days"),
            ("disk_full_mib", "disk_low_mib"),
            ("backlog_percent", "backlog_full_percent"),
            ("backup_days", "backup_stopped_days"),
        ):
            if getattr(self, less) >= getattr(self, more):
                raise ValueError(f"{less} 须小于 must be less than {more}")
        return self

    def terms(self) -> AlarmTerms:
        """The core's view."""
        mails = [one.recipient("mail", name) for name, one in self.mail.items()]
        posts = [one.recipient("webhook", name) for name, one in self.webhook.items()]
        return AlarmTerms(
            message=timedelta(minutes=self.message_minutes),
            deadline=timedelta(minutes=self.deadline_minutes),
            hit=timedelta(minutes=self.hit_minutes),
            signatures=self.signatures,
            clock=timedelta(seconds=self.clock_seconds),
            soon=timedelta(days=self.key_days),
            last=timedelta(days=self.key_last_days),
            log=timedelta(minutes=self.log_minutes),
            disk_low=self.disk_low_mib << 20,
            disk_full=self.disk_full_mib << 20,
            backlog_high=self.backlog_percent / 100,
            backlog_full=self.backlog_full_percent / 100,
            backup_old=timedelta(days=self.backup_days),
            backup_stopped=timedelta(days=self.backup_stopped_days),
            clear=timedelta(minutes=self.clear_minutes),
            handbook=self.handbook,
            recipients=(*mails, *posts),
        )


class OperatorSection(_Section):
    """One system user who operates; `gateway.registry.operators` reads and judges them."""

    name: str
    role: Literal["viewer", "operator", "supervisor"]


class _TomlFile(TomlConfigSettingsSource):
    """`lianzhi.toml`, also with the mark that Windows editors put in front."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        return read_toml(file_path)


class Config(BaseSettings):
    """The whole of it; `folder` is where the file stands and what relative paths start from."""

    model_config = SettingsConfigDict(env_prefix="LIANZHI_", env_nested_delimiter="__", extra="forbid", frozen=True)

    folder: Path = DEFAULT_FOLDER
    store: StoreSection = StoreSection()
    broker: BrokerSection = BrokerSection()
    http: HttpSection = HttpSection()
    documents: DocumentsSection = DocumentsSection()
    timing: TimingSection = TimingSection()
    terms: TermsSection = TermsSection()
    limits: Bounds = Bounds()
    approvals: ApprovalsSection = ApprovalsSection()
    ledgers: LedgersSection = LedgersSection()
    report: ReportSection = ReportSection()
    notify: NotifySection = NotifySection()
    tracing: TracingSection = TracingSection()
    alerts: AlertsSection = AlertsSection()
    operators: dict[str, OperatorSection] = {}
    _given: dict[str, Any] = PrivateAttr()

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._given = given

    @model_validator(mode="after")
    def _alerts_by_mail(self) -> Config:
        if self.alerts.mail and self.notify.mail is None:
            raise ValueError("[alerts.mail] 由邮件发出，须有 [notify.mail] They go by mail: [notify.mail] is missing")
        return self

    def again(self) -> Config:
        """As the file is by now. Raises ConfigurationError."""
        return load_config(**self._given)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Given, then environment, then the file."""
        folder = Path(init_settings().get("folder", DEFAULT_FOLDER))
        return init_settings, env_settings, _TomlFile(settings_cls, folder / FILE)

    @property
    def store_url(self) -> str:
        """With a relative SQLite file resolved against the folder."""
        prefix = "sqlite:///"
        if not self.store.url.startswith(prefix):
            return self.store.url
        return prefix + str((self.folder / self.store.url.removeprefix(prefix)).resolve())

    @property
    def broker_urls(self) -> list[str]:
        """With the password from its file. Raises ConfigurationError."""
        if self.broker.password_file is None:
            return [urlunsplit(self._verified(urlsplit(url))) for url in self.broker.urls]
        return self.broker_urls_of(self.broker_user, self.secret(self.broker.password_file))

    def broker_urls_of(self, user: str, password: str) -> list[str]:
        """The same addresses for another login."""
        found = []
        for parts in map(urlsplit, self.broker.urls):
            where = parts.netloc.rpartition("@")[2]
            login = f"{quote(user, safe='')}:{quote(password, safe='')}"
            found.append(urlunsplit(self._verified(parts._replace(netloc=f"{login}@{where}"))))
        return found

    def _verified(self, url: SplitResult) -> SplitResult:
        """With the file of `ca_file`, where the address is one of TLS."""
        if self.broker_ca is None or url.scheme != "amqps":
            return url
        added = urlencode({"cafile": str(self.broker_ca.resolve())})
        return url._replace(query="&".join(part for part in (url.query, added) if part))

    @property
    def broker_ca(self) -> Path | None:
        """The file of `ca_file`. Raises ConfigurationError: it is not there."""
        if self.broker.ca_file is None:
            return None
        path = self.folder / self.broker.ca_file
        if not path.is_file():
            raise ConfigurationError(f"{path}：[broker] ca_file：没有这个文件。 There is no such file.")
        return path

    @property
    def certificate_files(self) -> dict[str, Path]:
        """The certificates that the addresses of broker and database name, by what they are for."""
        broker, store = (dict(parse_qsl(urlsplit(url).query)) for url in (self.broker.urls[0], self.store.url))
        if self.broker.ca_file is not None:
            broker["cafile"] = self.broker.ca_file
        named = {
            "broker-ca": broker.get("cafile"),
            "broker-client": broker.get("certfile"),
            "store-ca": store.get("sslrootcert"),
            "store-client": store.get("sslcert"),
        }
        return {name: self.folder / file for name, file in named.items() if file and file != "system"}

    @property
    def vhost(self) -> str:
        """The virtual host of the broker, from its URL, where `%2F` stands for `/` (rabbitmq.com/uri-spec)."""
        return unquote(urlsplit(self.broker.urls[0]).path.removeprefix("/")) or "/"

    @property
    def secret_files(self) -> list[str]:
        """What of it stands in files of their own, relative to the folder."""
        notify = self.notify
        named = [
            self.broker.password_file,
            notify.webhook.secret_file if notify.webhook else None,
            notify.mail.password_file if notify.mail else None,
            *(one.secret_file for one in self.alerts.webhook.values()),
        ]
        return [name for name in named if name]

    def secret(self, file: str) -> str:
        """The one line of a secret file, relative to the folder. Raises ConfigurationError."""
        return read_secret(self.folder / file)

    @property
    def broker_user(self) -> str:
        """The broker user of the gateway, from its URL."""
        return self.broker.user

    @property
    def documents_folder(self) -> Path:
        return self.folder / self.documents.folder

    def settings(self) -> Settings:
        """The core's view."""
        timing = self.timing
        return Settings(
            redeliver_after=timedelta(seconds=timing.redeliver_after),
            redeliver_times=timing.redeliver_times,
            gap_after=timedelta(seconds=timing.gap_after),
            mend_every=timedelta(seconds=timing.mend_every),
            lease_term=timedelta(seconds=timing.lease_term),
            publish_timeout=timing.publish_timeout,
            backlog_limit=self.limits.backlog,
            calendar_poll=timing.calendar_poll,
            terms=self.terms.terms(),
            ledgers=LedgerTerms(
                {**TERMS.days, "petition": self.ledgers.petition_days},
                self.ledgers.recheck_months,
                self.ledgers.recheck_years,
            ),
            office_hours=OfficeHours(self.report.office_hours),
            page_backup_after=timedelta(minutes=self.notify.backup_minutes),
            page_desk_after=timedelta(minutes=self.notify.desk_minutes),
            page_chief_after=timedelta(minutes=self.notify.chief_minutes),
            page_channels=self.notify.channels,
            digest_to=self.notify.digest,
            digest_people=self.notify.digest_people,
            alarms=self.alerts.terms(),
            sensitive_per_day=self.limits.sensitive_per_day,
            break_glass_per_day=self.limits.break_glass_per_day,
            approvals=self.approvals.terms(),
        )

    def message_limits(self) -> Limits:
        """What one message must keep to."""
        limits = self.limits
        return Limits(
            message_bytes=limits.message_bytes,
            json_depth=limits.json_depth,
            document_bytes=limits.document_bytes,
            ahead=timedelta(seconds=limits.ahead_seconds),
            behind=timedelta(days=limits.behind_days),
        )


def load_config(folder: Path, **given: Any) -> Config:
    """The configuration of the installation in `folder`. Raises ConfigurationError naming the field."""
    look_into(folder)
    if not (folder / FILE).is_file():
        raise ConfigurationError(f"{folder / FILE}：没有配置文件。{WHERE[0]} No configuration. {WHERE[1]}")
    read_operators(folder / FILE)  # with their line, which the model below does not know
    try:
        return Config(folder=folder, **given)
    except ValidationError as error:
        line = line_of_member(read_text(folder / FILE), error.errors()[0]["loc"])
        raise ConfigurationError(
            f"{folder / FILE}{line}：配置有误。 The configuration is wrong: {all_told(error)}"
        ) from error


def _plain(url: str) -> str:
    """Of an address to which we append paths. Raises ValueError."""
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("地址不得带参数 The address takes no parameters (?…, #…)")
    return url


def _hours(amount: int) -> Deadline:
    return Deadline(DeadlineKind.CLOCK_HOURS, amount)


def _working(amount: int) -> Deadline:
    return Deadline(DeadlineKind.WORKING_DAYS, amount)
