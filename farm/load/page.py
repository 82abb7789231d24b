"""A result as one HTML file that needs nothing else: to be attached to a release, mailed, printed. Light and dark as
the reader's system is; grey, but for what is wrong, which has a shape and a word as well."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from farm import __version__
from farm.load.chart import Curve, Point, chart, linear, powers
from farm.load.profile import Profile
from farm.load.report import Table, counted, error_table, headline, latency_table, node_table, span, time_text
from farm.load.result import Result
from farm.load.tally import LATE, Second

LISTED = 50
"""Nodes that are shown at once; the others are folded away."""
NINES = 5
"""The last percentile of the curve is 99.999."""

STYLE = """
:root{color-scheme:light;--page:#f4f4f4;--panel:#fff;--ink:#1a1a1a;--soft:#4d4d4d;--line:#c4c4c4;--wrong:#b00020}
@media (prefers-color-scheme:dark){:root{color-scheme:dark;--page:#1d1e20;--panel:#28292c;--ink:#e6e6e6;--soft:#b4b4b4;
--line:#4a4b4f;--wrong:#ff6b7a}}
*{box-sizing:border-box}body{margin:0 auto;padding:24px;max-width:980px;background:var(--page);color:var(--ink);
font:15px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:1.4em;margin:0 0 4px}h2{font-size:1.1em;margin:28px 0 8px}p{margin:4px 0}small,.soft{color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;margin:16px 0}
.figures div{background:var(--panel);border:1px solid var(--line);border-radius:4px;padding:8px 12px}
.figures b{display:block;font-size:1.35em}.wrong{border-left:5px solid var(--wrong)!important}
.wrong b::before{content:"\\25B2  ";color:var(--wrong)}
.remark{border-left:5px double var(--soft);padding-left:10px}
figure{margin:0 0 12px;background:var(--panel);border:1px solid var(--line);border-radius:4px;padding:8px}
figcaption{color:var(--soft);padding:0 4px 4px}svg{display:block;width:100%;height:auto}
.grid{stroke:var(--line);fill:none;stroke-width:1}.tick{font-size:12px;fill:var(--soft)}
.name{font-size:12.5px;fill:var(--ink)}.curve{fill:none;stroke:var(--ink);stroke-linejoin:round}
.strong{stroke-width:2.6}.thin{stroke-width:1.2}.dashed{stroke-width:1.6;stroke-dasharray:7 4}
.dotted{stroke-width:1.6;stroke-dasharray:1.5 3.5;stroke-linecap:round}.mark{fill:var(--wrong)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--panel)}
th,td{text-align:left;padding:4px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
td.number,th.number{text-align:right}td.text{white-space:normal}tr.bad td:first-child::before{content:"\\25B2  ";
color:var(--wrong)}summary{cursor:pointer;padding:8px 0}dl{display:grid;grid-template-columns:max-content 1fr;
gap:2px 16px;margin:0}dt{color:var(--soft)}dd{margin:0}
@media print{body{background:#fff}details{display:block}}
"""

LEFT_ALIGNED = {"TIME OF", "ERROR", "FIRST AT", "NODE", "ADDRESS"}


def page(result: Result) -> str:
    """The whole file."""
    name = result.farm or ", ".join(target.name for target in result.targets[:3])
    title = f"Load on {name}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1><p>{escape(headline(result))}</p>",
        f'<p class="soft">began {result.began:%Y-%m-%d %H:%M:%S} UTC, plcfarm {__version__}</p>',
        _figures(result),
        *(f'<p class="remark">{escape(remark)}</p>' for remark in result.remarks()),
        _section("Time to an answer", _over_time(result) + _by_percentile(result)),
        _section("Requests a second", _rates(result)),
        _section("Times", _table(latency_table(result)) + f"<p><small>{_basis(result.profile)}</small></p>"),
        _section("Errors", _errors(result)),
        _section("Nodes", _nodes(result)),
        _section("What was asked", _asked(result)),
        "</main></body></html>\n",
    ]
    return "".join(parts)


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{heading}</h2>{body}</section>"


def _figures(result: Result) -> str:
    p50, p99, longest = result.answers().quantiles((0.5, 0.99, 1.0))
    per_second = result.answered / result.seconds_run if result.seconds_run else 0.0
    shown = [
        ("answers a second", f"{per_second:,.1f}", False),
        ("p50", time_text(p50), False),
        ("p99", time_text(p99), False),
        ("longest", time_text(longest), False),
        ("errors", f"{result.failed:,}" + f", {result.share_of_errors:.2%}" * bool(result.failed), result.failed > 0),
        ("clients", f"{result.clients:,}", False),
    ]
    cells = (f"<div{' class=wrong' * bad}><b>{text}</b>{name}</div>" for name, text, bad in shown)
    return f'<div class="figures">{"".join(cells)}</div>'


def _over_time(result: Result) -> str:
    quantiles = [(number, second.figures[1:]) for number, second in _seconds(result)]
    curves = [
        Curve(name, [(at, values[place] / 1e6) for at, values in quantiles if values[place]], style)
        for place, (name, style) in enumerate((("p50", "strong"), ("p99", "dashed"), ("longest", "dotted")))
    ]
    heights = [top for curve in curves for _, top in curve.points]
    if not heights:
        return "<p>There was no answer.</p>"
    x = linear(max(1.0, result.seconds_run), span)
    y = powers(min(heights), max(heights), _seconds_text)
    marks = [float(number) for number, second in _seconds(result) if second.errors]
    return _figure(
        "Second by second: p50 (thick), p99 (dashed), longest (dotted); a triangle below is a second with errors",
        chart("Time to an answer, second by second", curves, x, y, marks),
    )


def _by_percentile(result: Result) -> str:
    answers = result.answers()
    if not answers.counts:
        return ""
    parts = [1 - 10 ** (-nines / 20) for nines in range(20 * NINES + 1)]
    most = 1 - 1 / answers.total
    shown = [part for part in parts if part <= most] or [0.0]
    values = answers.quantiles(shown)
    service = result.service.quantiles(shown)
    curves = [
        Curve("answer", [(1 / (1 - p), v / 1e6) for p, v in zip(shown, values, strict=True)], "strong"),
        Curve("from sending", [(1 / (1 - p), v / 1e6) for p, v in zip(shown, service, strict=True)], "dashed"),
    ]
    heights = [top for curve in curves for _, top in curve.points if top > 0]
    x = powers(1, max(10.0, 1 / (1 - shown[-1])), _percentile_text)
    y = powers(min(heights), max(heights), _seconds_text)
    return _figure(
        "By percentile: from when it was to be asked (thick), and from when it was sent (dashed); where these part, "
        "requests had to wait",
        chart("Time to an answer, by percentile", curves, x, y),
    )


def _rates(result: Result) -> str:
    sent: list[Point] = [(number, second.sent) for number, second in _seconds(result)]
    answered: list[Point] = [(number, second.figures[0]) for number, second in _seconds(result)]
    failed: list[Point] = [(number, sum(second.errors.values())) for number, second in _seconds(result)]
    curves = [Curve("answered", answered, "strong"), Curve("sent", sent, "dashed")]
    if any(count for _, count in failed):
        curves.append(Curve("errors", failed, "dotted"))
    high = max((count for curve in curves for _, count in curve.points), default=1.0)
    x = linear(max(1.0, result.seconds_run), span)
    return _figure(
        "Second by second: answered (thick), sent (dashed), errors (dotted, where there were any)",
        chart("Requests a second", curves, x, linear(max(1.0, high), lambda count: f"{count:,.0f}")),
    )


def _seconds(result: Result) -> Iterator[tuple[float, Second]]:
    """The seconds of the test; answers that came after its end are in the tables alone."""
    last = max(1, round(result.seconds_run))
    return ((number + 0.5, second) for number, second in enumerate(result.seconds[:last]))


def _figure(caption: str, picture: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{picture}</figure>"


def _errors(result: Result) -> str:
    table = error_table(result)
    return _table(table) if table[1] else "<p>There were none.</p>"


def _nodes(result: Result) -> str:
    rows = result.worst()
    body = "<p><small>Those with errors first, then the slowest.</small></p>"
    body += _table(node_table(rows[:LISTED]), [row.errors > 0 for row in rows])
    if len(rows) > LISTED:
        rest = _table(node_table(rows[LISTED:]), [row.errors > 0 for row in rows[LISTED:]])
        body += f"<details><summary>{len(rows) - LISTED} more</summary>{rest}</details>"
    return body


def _asked(result: Result) -> str:
    profile = result.profile
    lag = time_text(result.lag.quantile(0.99))
    busy = ", ".join(f"{each / result.seconds_run:.0%}" for each in result.cpu) if result.seconds_run else "-"
    facts = [
        ("load", load_text(profile, result.clients)),
        ("time", span(profile.duration) + (f", the first {span(profile.ramp)} growing" if profile.ramp else "")),
        ("mix", ", ".join(f"{kind} {weight:g}" for kind, weight in profile.mix.items())),
        ("tags", ", ".join(profile.tags) or (f"{profile.values} values of each" if profile.values else "all")),
        ("EtherNet/IP", f"connections of {profile.connection} bytes" if profile.connected else "unconnected"),
        ("requests", "several tags in one" if profile.multiple else "one tag each"),
        ("under way at once", f"{profile.depth} on each connection; time-out after {span(profile.timeout)}"),
        ("sent late", f"{counted(result.late, 'request')} more than {LATE * 1000:g} ms after their time"),
        ("connections lost", f"{result.lost}"),
        ("generator", f"{counted(result.workers, 'process', 'processes')}, busy {busy}, late by {lag} (p99)"),
    ]
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts) + "</dl>"


def load_text(profile: Profile, clients: int) -> str:
    """`500 clients, 1 beat a second each`."""
    if profile.flat_out:
        return f"{clients} clients, as fast as they were answered"
    if profile.rate:
        return f"{clients} clients, {profile.rate:g} beats a second each"
    return f"{clients} clients, {profile.rate_in_all:g} beats a second together"


def _basis(profile: Profile) -> str:
    if profile.flat_out:
        return "From when a request was sent: each client waited for its answers before it asked on."
    return (
        "From when a request was to be sent, whether or not it could be then, so that one slow answer does not hide "
        "those that it kept waiting (coordinated omission)."
    )


def _table(table: Table, bad: Iterable[bool] = ()) -> str:
    headings, rows = table
    sides = ["text" if heading in LEFT_ALIGNED else "number" for heading in headings]
    head = "".join(f'<th class="{side}">{escape(cell)}</th>' for side, cell in zip(sides, headings, strict=True))
    marked = [*bad, *(False for _ in rows)]
    body = "".join(_row(cells, sides, wrong) for cells, wrong in zip(rows, marked, strict=False))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(cells: Sequence[str], sides: Sequence[str], wrong: bool) -> str:
    body = "".join(f'<td class="{side}">{escape(cell)}</td>' for side, cell in zip(sides, cells, strict=True))
    return f"<tr{' class=bad' * wrong}>{body}</tr>"


def _seconds_text(value: float) -> str:
    return time_text(max(1, round(value * 1e6)))


def _percentile_text(value: float) -> str:
    return f"{100 - 100 / value:.6g}%"
