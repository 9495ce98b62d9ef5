"""The same run as one HTML page: no script, no font, nothing fetched; light, dark, and as wide as a phone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from byollm_examples.record import Cut, Previewed, Row, Run, Stream, Tried

STYLE: Final = """
:root{color-scheme:light dark;--page:#fbfbf9;--card:#fff;--text:#1c2024;--soft:#5d6670;--line:#dfe3e6;--code:#f2f4f5;
--good:#17703c;--bad:#b3261e;--warn:#8a5a00;--accent:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1b1f23;--text:#e4e7ea;--soft:#9aa4ad;--line:#30363c;
--code:#22272c;--good:#63d391;--bad:#ff8a80;--warn:#f0c060;--accent:#86b4ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.4rem 0}
h2{font-size:1.2rem;margin:2.6rem 0 .7rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .3rem}
p{margin:.5rem 0;max-width:60rem}
.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
code,pre{font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.7rem .8rem;background:var(--code);border-radius:6px;
white-space:pre-wrap;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.9rem 1rem;min-width:0}
.sums{display:flex;flex-wrap:wrap;gap:.6rem 2rem;padding:0;margin:1rem 0;list-style:none}
.sums b{display:block;font-size:1.35rem;line-height:1.2}
ul{padding-left:1.2rem;margin:.4rem 0}
ol{padding-left:1.4rem;margin:.4rem 0}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{text-align:left;font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);padding:.35rem .6rem .35rem 0}
td{border-bottom:1px solid var(--line);padding:.4rem .6rem .4rem 0;vertical-align:top;overflow-wrap:anywhere}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.nowrap{white-space:nowrap}
summary{cursor:pointer}
.diff{margin:.6rem 0}
.diff div{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;padding:.1rem .6rem;white-space:pre-wrap}
@media(max-width:46rem){
thead{display:none}
table,tbody,tr,td{display:block;width:100%}
tr{border:1px solid var(--line);border-radius:8px;background:var(--card);margin:.7rem 0;padding:.4rem .8rem}
td{border:0;padding:.2rem 0;display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:.6rem}
td.nowrap,.number{white-space:normal;text-align:left}
td::before{content:attr(data-label);color:var(--soft)}
}
"""
COLUMNS: Final = ("document", "task", "provider", "answer", "tokens", "milliseconds")


def page(run: Run) -> str:
    """The whole document."""
    body = [_opening(run)]
    if run.previews:
        body.append(_previews(run))
    if run.cut is not None:
        body.append(_cut(run.cut))
    if run.echo is not None:
        body.append(_echo(run))
    body.append(_pipeline(run))
    if run.switch is not None:
        body.append(_switch(run))
    title = f"byollm demo: {run.totals['answers']} answers"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _section(number: str, title: str, inner: str) -> str:
    heading = f"{number} · {title}" if number else title
    return f"<section><h2>{escape(heading)}</h2>\n{inner}</section>"


def _opening(run: Run) -> str:
    totals = run.totals
    what = (
        "Your own models, through your own file."
        if run.live
        else "The model is a rule-based stand-in behind twins of three providers on 127.0.0.1: no network, no keys."
    )
    sums = [
        (totals["answers"], "answers"),
        (totals["failures"], "failures"),
        (totals["attempts"], "attempts"),
        (totals["input_tokens"], "input tokens"),
        (totals["output_tokens"], "output tokens"),
        (f"{run.seconds:.1f} s", "in all"),
    ]
    problems = "".join(f'<p class="bad">! {escape(problem)}</p>' for problem in run.problems)
    left = _list(run.left_out) if run.left_out else ""
    return (
        "<header><h1>byollm: one YAML file, any provider, the same answer shape</h1>"
        f'<p class="soft">{escape(what)} {escape(run.source)}.</p>{problems}<ul class="sums">'
        + "".join(f"<li><b>{value}</b>{label}</li>" for value, label in sums)
        + f"</ul>{'<p>Left out:</p>' + left if left else ''}</header>"
    )


def _previews(run: Run) -> str:
    request = _json(dict(run.request))
    cards = "".join(_preview(item) for item in run.previews)
    text = f'<p>What the program asks:</p><pre>{request}</pre><div class="grid">{cards}</div>'
    return _section("1", "One request, three bodies", text)


def _preview(item: Previewed) -> str:
    adjusted = "".join(f'<li class="warn">{escape(line)}</li>' for line in item.adjustments) or "<li>no adjustment</li>"
    equal = "equals the preview" if item.recorded_equal else "differs from the preview"
    colour = "good" if item.recorded_equal else "bad"
    return (
        f'<div class="card"><h3>{escape(item.provider)}</h3><code>{escape(item.method)} {escape(item.url)}</code>'
        f'<pre>{_json(item.body)}</pre><ul>{adjusted}<li class="{colour}">the body that was recorded {equal}; '
        f"answered {item.status}</li></ul></div>"
    )


def _cut(scene: Cut) -> str:
    later = _stream(scene.before_content) + _stream(scene.after_content)
    note = "After the first word nobody takes over in silence: the caller decides, with the partial text in hand."
    text = (
        f'<div class="grid">{_stream(scene.without)}</div><p>With one line more in the file:</p>{_diff(scene.diff)}'
        f'<div class="grid">{later}</div><p>{escape(note)}</p>'
    )
    return _section("2", "A stream that breaks", text)


def _stream(stream: Stream) -> str:
    if stream.error is None:
        outcome = f'<p class="good">answered, finish_reason {escape(str(stream.finish_reason))}</p>'
    else:
        outcome = f'<p class="bad"><b>{escape(stream.error)}</b>: {escape(stream.message)}</p>'
    word = "reply.text" if stream.error is None else ".partial.text"
    return (
        f'<div class="card"><h3>{escape(stream.title)}</h3>{outcome}{_attempts(stream.attempts)}'
        f'<p class="soft">{word}, {stream.pieces} pieces</p><pre>{escape(stream.text)}</pre></div>'
    )


def _attempts(attempts: Sequence[Tried]) -> str:
    lines = (f'<li class="{"good" if one.error is None else "bad"}">{escape(str(one))}</li>' for one in attempts)
    return f"<ol>{''.join(lines)}</ol>"


def _echo(run: Run) -> str:
    scene = run.echo
    assert scene is not None
    text = (
        f'<div class="grid"><div class="card"><h3>Sent by the provider, status {scene.status}</h3>'
        f"<pre>{escape(scene.sent)}</pre>"
        f'<p class="soft">‹the key› stands for all {scene.key_length} characters of it.</p></div>'
        f'<div class="card"><h3>Raised by byollm: {escape(scene.error)}</h3><pre>{escape(scene.shown)}</pre>'
        f'<p class="soft">Searched for any 12 characters of it: {escape(", ".join(scene.searched))}. '
        f"Found: {scene.found}.</p></div></div>"
    )
    return _section("3", "A provider that repeats your key", text)


def _pipeline(run: Run) -> str:
    rows = "".join(_row(row) for row in run.rows)
    head = "".join(f'<th class="{"number" if name in COLUMNS[4:] else ""}">{name}</th>' for name in COLUMNS)
    outage = ""
    if run.outage is not None:
        own, moved = run.rows_in_outage()
        down = f"<b>{escape(run.outage.deployment)}</b> ({escape(run.outage.provider)})"
        outage = (
            f"<p>The server of {down} was taken down in the middle of {escape(run.outage.task)}. "
            f"It had answered {len(own)}; its backup answered {len(moved)}.</p>"
        )
    file = f"<details><summary>The file</summary><pre>{escape(run.configuration)}</pre></details>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    title = "Your tasks" if run.live else "Three tasks, three providers"
    return _section("" if run.live else "4", title, f"{outage}{file if run.configuration else ''}{table}")


def _row(row: Row) -> str:
    answer = f'<span class="bad">{escape(row.short)}</span>' if row.error is not None else escape(row.short)
    more = _attempts(row.attempts) + (f"<pre>{_json(row.answer)}</pre>" if row.answer is not None else "")
    mark = '<div class="warn">by failover</div>' if len({item.deployment for item in row.attempts}) > 1 else ""
    provider = f"{escape(row.provider)}{mark}"
    inner = f"<details><summary>{answer}</summary>{more}</details>"
    values = (escape(row.document), escape(row.task), provider, inner, escape(row.tokens), f"{row.milliseconds}")
    classes = ("nowrap" if len(row.document) <= 28 else "", "nowrap", "nowrap", "", "number", "number")
    cells = zip(COLUMNS, values, classes, strict=True)
    return f"<tr>{''.join(_cell(name, value, kind) for name, value, kind in cells)}</tr>\n"


def _cell(name: str, value: str, kind: str) -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<td{css} data-label="{name}"><div>{value}</div></td>'


def _switch(run: Run) -> str:
    scene = run.switch
    assert scene is not None
    rows = "".join(
        "<tr>"
        + _cell("document", escape(old.document), "")
        + _cell("before", escape(f"{old.provider}: {old.short}"), "")
        + _cell("after", escape(f"{new.provider}: {new.short}"), "")
        + "</tr>"
        for old, new in zip(scene.before, scene.after, strict=True)
    )
    head = "<tr><th>document</th><th>before</th><th>after</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    return _section("5", "One line moves a task", f"{_diff(scene.diff)}{table}")


def _diff(lines: Iterable[str]) -> str:
    shown = "".join(f'<div class="{"bad" if line[0] == "-" else "good"}">{escape(line)}</div>' for line in lines)
    return f'<div class="diff">{shown}</div>'


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _json(value: Any) -> str:
    return escape(laid_out(value))


def laid_out(value: Any, indent: str = "", most: int = 42) -> str:
    """JSON with what is short kept on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + len(indent) <= most or not isinstance(value, dict | list | tuple) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        members = [
            f"{json.dumps(key, ensure_ascii=False)}: {laid_out(item, deeper, most)}" for key, item in value.items()
        ]
        return f"{{\n{deeper}" + f",\n{deeper}".join(members) + f"\n{indent}}}"
    return f"[\n{deeper}" + f",\n{deeper}".join(laid_out(item, deeper, most) for item in value) + f"\n{indent}]"
