"""Start-up of a lone simulator beside cpppo's: seconds until it has answered, CPU, memory (`tests.bench.start_up`)."""

from __future__ import annotations

from tests.bench import servers
from tests.bench.start_up import Started, measure, medians

WAYS = (("enip_server", "127.90.7.2"), ("cpppo", "127.90.7.3"))


def run(runs: int) -> list[str]:
    """The table, as Markdown. The two start in turn; the first start of each, from a cold disk, is not counted."""
    commands = {
        "enip_server": [servers.enip_server()],
        "cpppo": [str(servers.cpppo_python()), "-m", "cpppo.server.enip"],
    }
    lines = [
        "",
        "### Start-up of a lone server, until it has answered a RegisterSession",
        "",
        "| server | s | CPU s | resident MiB |",
        "|---|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    started: dict[str, list[Started]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, host in WAYS:
            one = measure(commands[name], host)
            if number:
                started[name].append(one)
    for name, runs_of in started.items():
        median = medians(runs_of)
        row = f"| {name} | {median.seconds:.3f} | {median.cpu:.3f} | {median.rss:.1f} |"
        print(row, flush=True)
        lines.append(row)
    return lines
