"""`lianzhi.toml`, environment `LIANZHI_*`, and secret files: one typed configuration (docs/design.md 3.5)."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gateway.core.ledgers import TERMS, LedgerTerms
from gateway.core.settings import Settings, Terms
from gateway.core.worktime import OfficeHours
from gateway.crypto.limits import Limits
from gateway.errors import ConfigurationError
from schemas.catalogue import Deadline, DeadlineKind

FILE = "lianzhi.toml"
DEFAULT_FOLDER = Path(".lianzhi")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSection(_Section):
    """url: `sqlite:///lianzhi.sqlite` (relative to the folder) or `postgresql://…`."""

    url: str = "sqlite:///lianzhi.sqlite"


class BrokerSection(_Section):
    """url without password; password_file: one line, readable by the gateway alone."""

    url: str = "amqp://lianzhi-gateway@127.0.0.1:5672/lianzhi"
    password_file: str | None = None
    management: str = "http://127.0.0.1:15672"
    prefetch: int = Field(default=2000, ge=1)


class HttpSection(_Section):
    """Loopback by default; put TLS in front before you listen elsewhere."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


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
    """Days, months, years: what the law or the superior court gives (docs/domain.md 2.10)."""

    fund_days: int = Field(default=30, ge=1)
    petition_days: int = Field(default=30, ge=1)
    recheck_months: int = Field(default=6, ge=1)
    recheck_years: int = Field(default=5, ge=1)


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


class LimitsSection(_Section):
    """Bytes, levels, seconds; see `gateway.crypto.limits.Limits`. backlog: unsent messages before 503."""

    message_bytes: int = Field(default=1 << 20, gt=0)
    document_bytes: int = Field(default=100 << 20, gt=0)
    json_depth: int = Field(default=32, gt=0)
    ahead_seconds: float = Field(default=300, ge=0)
    behind_days: float = Field(default=30, ge=0)
    backlog: int = Field(default=100_000, ge=0)
    sensitive_per_day: int = Field(default=20, ge=1)
    break_glass_per_day: int = Field(default=5, ge=0)


class WebhookSection(_Section):
    """url: of the court's SMS and voice platform; secret_file: one line, `whsec_…`, shared with it."""

    url: str
    secret_file: str


class MailSection(_Section):
    """tls: `none` only for a server on this machine."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: str | None = None
    password_file: str | None = None


class NotifySection(_Section):
    """Who is paged on an alert, and how. *_minutes: after the alert was raised (docs/domain.md 3). public_url: where
    the platform reaches this gateway's API."""

    webhook: WebhookSection | None = None
    mail: MailSection | None = None
    public_url: str = ""
    backup_minutes: float = Field(default=5, gt=0)
    desk_minutes: float = Field(default=10, gt=0)
    chief_minutes: float = Field(default=15, gt=0)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(name for name in ("webhook", "mail") if getattr(self, name) is not None)


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
    limits: LimitsSection = LimitsSection()
    ledgers: LedgersSection = LedgersSection()
    report: ReportSection = ReportSection()
    notify: NotifySection = NotifySection()

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, folder / FILE)

    @property
    def store_url(self) -> str:
        """With a relative SQLite file resolved against the folder."""
        prefix = "sqlite:///"
        if not self.store.url.startswith(prefix):
            return self.store.url
        return prefix + str((self.folder / self.store.url.removeprefix(prefix)).resolve())

    @property
    def broker_url(self) -> str:
        """With the password from its file. Raises ConfigurationError."""
        if self.broker.password_file is None:
            return self.broker.url
        password = self.secret(self.broker.password_file)
        parts = urlsplit(self.broker.url)
        where = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.broker_user}:{quote(password, safe='')}@{where}"))

    def secret(self, file: str) -> str:
        """The one line of a secret file, relative to the folder. Raises ConfigurationError."""
        path = self.folder / file
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{path}：读不到密码文件。 Cannot read the password file.") from error

    @property
    def broker_user(self) -> str:
        """The broker user of the gateway, from its URL."""
        return urlsplit(self.broker.url).username or ""

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
                {**TERMS.days, "fund": self.ledgers.fund_days, "petition": self.ledgers.petition_days},
                self.ledgers.recheck_months,
                self.ledgers.recheck_years,
            ),
            office_hours=OfficeHours(self.report.office_hours),
            page_backup_after=timedelta(minutes=self.notify.backup_minutes),
            page_desk_after=timedelta(minutes=self.notify.desk_minutes),
            page_chief_after=timedelta(minutes=self.notify.chief_minutes),
            page_channels=self.notify.channels,
            sensitive_per_day=self.limits.sensitive_per_day,
            break_glass_per_day=self.limits.break_glass_per_day,
        )

    def bounds(self) -> Limits:
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
    if not (folder / FILE).is_file():
        raise ConfigurationError(
            f"{folder / FILE}：没有配置文件，请先运行 lianzhi init。 No configuration; run `lianzhi init` first."
        )
    try:
        return Config(folder=folder, **given)
    except ValidationError as error:
        where = "；".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{folder / FILE}：配置有误。 The configuration is wrong: {where}") from error


def _hours(amount: int) -> Deadline:
    return Deadline(DeadlineKind.CLOCK_HOURS, amount)


def _working(amount: int) -> Deadline:
    return Deadline(DeadlineKind.WORKING_DAYS, amount)
