"""Which of RabbitMQ's plugins and libraries a private node sees."""

from __future__ import annotations

from pathlib import Path

from simulation.broker_plugins import link_needed


def application(plugins: Path, name: str, *needs: str) -> None:
    folder = plugins / f"{name}-1.0" / "ebin"
    folder.mkdir(parents=True)
    text = f"{{application, {name}, [\n\t{{applications, [{','.join(('kernel', *needs))}]}},\n\t{{env, []}}\n]}}."
    (folder / f"{name}.app").write_text(text)


def test_what_it_runs_and_what_that_needs_and_nothing_else(tmp_path: Path) -> None:
    plugins, target = tmp_path / "plugins", tmp_path / "target"
    application(plugins, "rabbit", "ra", "rabbit_common")
    application(plugins, "rabbit_common", "ra")
    application(plugins, "ra")
    application(plugins, "rabbitmq_management", "rabbit", "cowboy")
    application(plugins, "cowboy")
    application(plugins, "rabbitmq_mqtt", "rabbit")
    for _ in range(2):  # a directory that is kept is prepared again
        link_needed(plugins, target)
        names = {link.name for link in target.iterdir()}
        assert names == {"rabbit-1.0", "rabbit_common-1.0", "ra-1.0", "rabbitmq_management-1.0", "cowboy-1.0"}
        assert (target / "ra-1.0" / "ebin" / "ra.app").is_file()
