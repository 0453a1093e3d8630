"""The Java partner of examples/java as a child process: compiled once into a folder of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from lianzhi.errors import ConfigurationError
from tests.node_partner import NodePartner

EXAMPLE = Path(__file__).parents[1] / "examples" / "java"
CHECKS = Path(__file__).parent / "java"
JARS = [Path("/usr/share/java") / name for name in ("amqp-client.jar", "slf4j-api.jar", "slf4j-simple.jar")]
SMALL_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # starts in half the time; nothing here runs for long


def compiled(folder: Path) -> Path:
    """`javac` of the example and of the checks beside it, every warning an error. Raises ConfigurationError."""
    for jar in JARS:
        if not jar.exists():
            raise ConfigurationError(f"{jar} is absent: run `scripts/setup.sh all`")
    sources = sorted([*(EXAMPLE / "partner").glob("*.java"), *CHECKS.glob("*.java")])
    command = [
        "javac",
        *(f"-J{flag}" for flag in SMALL_JVM),
        "-encoding",
        "UTF-8",
        "--release",
        "17",
        "-Xlint:all",
        "-Werror",
    ]
    command += ["-d", str(folder), "-cp", class_path(), *map(str, sources)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except FileNotFoundError:
        raise ConfigurationError("javac is absent: run `scripts/setup.sh all`") from None
    if done.returncode:
        raise ConfigurationError(f"javac failed:\n{done.stderr[-2000:]}")
    return folder


def class_path(*folders: Path) -> str:
    return ":".join(map(str, (*folders, *JARS)))


@dataclass
class JavaPartner(NodePartner):
    """classes: where `compiled` has put them."""

    classes: Path = Path()

    def command(self) -> tuple[str, ...]:
        return ("java", *SMALL_JVM, "-cp", class_path(self.classes), "partner.Partner")
