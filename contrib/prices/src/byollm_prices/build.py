"""Makes the files of `data/` from the pinned wheel of genai-prices: `python -m byollm_prices.build [--check]`.

A development tool: it needs genai-prices in the version that build.toml names, which is no dependency of this package.
The same wheel always makes the same bytes, and a test compares them with what is shipped.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from byollm_prices.convert import patterns, rows_of, short, with_peaks, withdrawn
from byollm_prices.table import FORMAT

HERE: Final = Path(__file__).resolve().parent
DATA: Final = HERE / "data"
REGIONS: Final = ("global", "regional")
"""What the wheel writes before a Bedrock model's name: which profiles the price is for."""


def main() -> int:
    """Write the files, or with --check say which differ; 1 when any does."""
    made = build()
    if "--check" in sys.argv[1:]:
        differing = sorted(name for name, text in made.items() if text != (DATA / name).read_text("utf-8"))
        print("\n".join(f"{name} differs: run python -m byollm_prices.build" for name in differing) or "as built")
        return 1 if differing else 0
    for old in DATA.glob("*.json"):
        old.unlink()
    for name, text in made.items():
        (DATA / name).write_text(text, "utf-8")
    rows = sum(text.count('"rates":') for text in made.values())
    print(f"{rows} rows of {len(made) - 1} sellers")
    return 0


def build(plan: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Every file by its name. Raises SystemExit when another version of the wheel is installed."""
    plan = plan or tomllib.loads((HERE / "build.toml").read_text("utf-8"))
    wheel = plan["wheel"]
    if (found := version(wheel["name"])) != wheel["version"]:
        raise SystemExit(f"build.toml is written for {wheel['name']} {wheel['version']}; installed is {found}")
    from genai_prices.data import providers

    by_name = {provider.id: provider for provider in providers}
    files = {
        f"{name}.json": _file(_seller(name, by_name[told["wheel"]], plan)) for name, told in plan["sellers"].items()
    }
    names = {name: by_name[told["wheel"]].name for name, told in sorted(plan["sellers"].items())}
    hosts = {host: name for name, told in sorted(plan["sellers"].items()) for host in told["hosts"]}
    files["index.json"] = json.dumps({"sellers": names, "hosts": hosts}, indent=1, ensure_ascii=False) + "\n"
    return files


def _seller(name: str, provider: Any, plan: Mapping[str, Any]) -> dict[str, Any]:
    wheel, told = plan["wheel"], plan["sellers"][name]
    page = (provider.pricing_urls or ("no page named",))[0]
    sources = [f"{wheel['name']} {wheel['version']} ({wheel['licence']}), {provider.id}: {page}"]
    file: dict[str, Any] = {"format": FORMAT, "seller": name, "taken": wheel["taken"], "currency": "USD"}
    if "same_as" in told:
        file["same_as"] = told["same_as"]
    file["hosts"] = told["hosts"]
    if name in plan["unpriced_regions"]:
        file["unpriced_regions"] = plan["unpriced_regions"][name]
    uplifts = [{**uplift, "source": _added(sources, uplift)} for uplift in plan["uplifts"] if uplift["seller"] == name]
    if uplifts:
        file["uplifts"] = [{key: uplift[key] for key in uplift if key != "seller"} for uplift in uplifts]
    peaks = {rule["model"]: rule for rule in plan["peaks"] if rule["seller"] == name}
    models = [
        {"model": rule["model"], "match": rule["match"], "rows": []}
        for rule in plan["unpriced"]
        if rule["seller"] == name
    ]
    for model in provider.models:
        prefix, dot, _ = model.id.partition(".")
        region = prefix if dot and prefix in REGIONS else None
        rows = rows_of(model, region)
        if model.id in peaks:
            rows = with_peaks(rows, peaks[model.id], _added(sources, peaks[model.id]))
        for rule in plan["withdrawn"]:
            if rule["seller"] == name and model.id in rule["models"]:
                rows = withdrawn(rows, rule["since"], _added(sources, rule))
        for rule in plan["short_prompts"]:
            if rule["seller"] == name and any(begin in model.id for begin in rule["models"]):
                rows = short(rows, rule["up_to"], _added(sources, rule))
        models.append({"model": model.id, "match": patterns(model.match), "rows": rows})
    return {**file, "sources": sources, "models": models}


def _added(sources: list[str], told: Mapping[str, Any]) -> int:
    if told["source"] not in sources:
        sources.append(told["source"])
    return sources.index(told["source"])


def _file(told: dict[str, Any]) -> str:
    """JSON, one model or row a line, so that a change of price is a change of a line."""
    head = ",\n".join(f" {json.dumps(key)}: {_line(value)}" for key, value in told.items() if key != "models")
    models = ",\n".join(_model(model) for model in told["models"])
    return f'{{\n{head},\n "models": [\n{models}\n ]\n}}\n'


def _model(model: Mapping[str, Any]) -> str:
    start = f'  {{"model": {_line(model["model"])}, "match": {_line(model["match"])}, "rows": ['
    return start + "".join(f"\n   {_line(row)}," for row in model["rows"]).removesuffix(",") + "]}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
