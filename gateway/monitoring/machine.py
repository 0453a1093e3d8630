"""What of this machine a monitor is told: disks, the last backup, certificates in files, the log."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509

from lianzhi.faults import kind_of

log = structlog.get_logger("metrics")


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the file system of one place."""

    free: int
    size: int


@dataclass(frozen=True, slots=True)
class Machine:
    """last_backup: None: never, or nobody can read when. certificates: when the first one of each file ends."""

    disks: Mapping[str, Disk] = field(default_factory=dict)
    last_backup: datetime | None = None
    certificates: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineLook:
    """Looks at it, blocking. disks, certificates: what a place or a file is called → where it is."""

    disks: Mapping[str, Path]
    certificates: Mapping[str, Path]
    last_backup: Callable[[], datetime | None]

    def __call__(self) -> Machine:
        """What cannot be seen is left out."""
        disks = {name: found for name, path in self.disks.items() if (found := disk_of(path)) is not None}
        ends = {name: end for name, path in self.certificates.items() if (end := end_of(path)) is not None}
        return Machine(disks, self.last_backup(), ends)


def disk_of(path: Path) -> Disk | None:
    """Of the nearest folder that is there."""
    path = path.absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        log.warning("disk-not-seen", fault=kind_of(error))
        return None
    return Disk(usage.free, usage.total)


def end_of(path: Path) -> datetime | None:
    """When the first certificate in a PEM file ends; None: it cannot be read."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        log.warning("certificate-not-read", file=path.name, fault=kind_of(error))
        return None
    return min(certificate.not_valid_after_utc for certificate in certificates)
