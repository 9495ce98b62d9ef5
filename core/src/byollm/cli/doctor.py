"""`byollm doctor`: everything between here and each provider, one line each, with the line that mends it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from byollm.cli import show
from byollm.cli.arguments import Parser, file_of
from byollm.cli.faults import surprise
from byollm.cli.findings import Check, as_data, failed, print_checks
from byollm.errors import AuthenticationError, ByollmError

if TYPE_CHECKING:
    from byollm.client import Client
    from byollm.config.bind import Bound
    from byollm.config.records import DeploymentConfig, LlmConfig
    from byollm.config.secrets import SecretReference

PACKAGES = ("httpx", "h11", "httpx2", "httptools", "pyreqwest", "pydantic", "pluggy", "stevedore", "pyyaml")
AT_ONCE = 8


def run(words: Sequence[str]) -> int:
    """The command; 1 when anything failed. Raises what `main` tells."""
    options = _parser().read(words)
    from pathlib import Path

    from byollm.client import Client
    from byollm.config.llm_config import load

    config = load(Path(file_of(options)))
    extensions: list[Check] = []
    client: Client | None = None
    try:
        client = Client(config)
    except ByollmError as error:
        extensions.append(failed("plugins", error))
    names = _chosen(config, options.deployment)
    if options.live and not options.json:
        from byollm.cli.live import COST

        show.note(COST)
    targets = dict(zip(names, _examined(config, names, client, options), strict=True))
    if client is not None:
        extensions += _extensions(client)
        client.close()
    everything = [check for checks in targets.values() for check in checks] + extensions
    if options.json:
        _print_json(config, targets, extensions)
    else:
        _print(config, targets, extensions, options)
    return 1 if any(check.state == "fail" for check in everything) else 0


def _parser() -> Parser:
    parser = Parser("doctor", "Look at everything between here and each provider, and say how to mend it.")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the configuration, like --config")
    parser.add_argument("--config", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--deployment", metavar="NAME", help="look at this one only")
    parser.add_argument("--live", action="store_true", help="ask each deployment one tiny question with its real key")
    parser.add_argument("--timeout", type=_seconds, default=5.0, metavar="SECONDS", help="for each step (default 5)")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 600:
        raise argparse.ArgumentTypeError("a number of seconds above 0, at most 600")
    return value


def _chosen(config: LlmConfig, deployment: str | None) -> list[str]:
    if deployment is None:
        return list(config.deployments)
    from byollm.config.llm_config import resolve_deployment

    return list(resolve_deployment(config, deployment).candidates)


def _examined(
    config: LlmConfig, names: Sequence[str], client: Client | None, options: argparse.Namespace
) -> list[list[Check]]:
    """All deployments, several at a time: most of it is waiting.

    The threads are daemons and not a pool's, which the interpreter would wait for after Ctrl-C.
    """
    import threading
    from collections import deque

    found: dict[str, list[Check]] = {}
    waiting = deque(names)

    def work() -> None:
        while True:
            try:
                name = waiting.popleft()
            except IndexError:
                return
            try:
                found[name] = examined(config, name, client if options.live else None, options.timeout)
            except Exception as error:  # one target's surprise hides no other target
                told = surprise(error)
                found[name] = [Check("doctor", "fail", told.message, told.hint)]

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(names)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [found[name] for name in names]


def examined(config: LlmConfig, name: str, client: Client | None, seconds: float) -> list[Check]:
    """Every step of one deployment. With a `client` it is asked, too."""
    from byollm.config.bind import bind
    from byollm.providers.discovery import load_provider

    deployment = config.deployments[name]
    try:
        loaded = load_provider(deployment.provider, allowed=config.plugins, lock=config.lock)
    except ByollmError as error:
        return [failed("plugin", error), *_skipped("no plugin")]
    found = [Check("plugin", "ok", f"{loaded.distribution} {loaded.version}, spec {loaded.manifest.spec}")]
    try:
        bound = bind(config, deployment, loaded.manifest)
    except ByollmError as error:
        return [*found, failed("endpoint", error), *_skipped("no endpoint", "proxy", "dns", "tcp", "tls", "key")]
    found += [_endpoint(bound), *_way(bound, seconds)]
    found += [*_retired(deployment, loaded.manifest), *_keys(bound)]
    return found + (_live(client, name, bound, found) if client is not None else [])


def _skipped(why: str, *names: str) -> list[Check]:
    return [Check(name, "skip", why) for name in names or ("endpoint", "proxy", "dns", "tcp", "tls", "key")]


def _endpoint(bound: Bound) -> Check:
    if not bound.target.endpoint:
        return Check("endpoint", "ok", "none: the model runs in this process")
    parts = urlsplit(bound.target.endpoint)
    path = parts.path if parts.path not in ("", "/") else ""
    api = f" ({bound.target.api})" if bound.target.api else ""
    return Check("endpoint", "ok", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}{api}")


def _way(bound: Bound, seconds: float) -> list[Check]:
    from byollm.cli.probe import walk

    if not bound.target.endpoint:
        return _skipped("nothing is sent", "proxy", "dns", "tcp", "tls")
    try:
        place = bound.place
    except ByollmError as error:
        return [failed("proxy", error), *_skipped("not reached", "dns", "tcp", "tls")]
    return walk(bound.target.endpoint, place, seconds)


def _retired(deployment: DeploymentConfig, manifest: Any) -> list[Check]:
    note = manifest.models.get(deployment.model)
    if note is None or not (note.retired or note.replacement):
        return []
    from datetime import date

    past = note.retired is not None and note.retired <= date.today().isoformat()
    when = f"{'was' if past else 'will be'} retired on {note.retired}" if note.retired else "has a successor"
    mend = f'model: "{note.replacement}"' if note.replacement else "choose another model"
    return [Check("model name", "warn", f"{deployment.model} {when}", mend)]


def _keys(bound: Bound) -> list[Check]:
    from byollm.wire.auth import NoAuth

    headers = {f"header {name}": reference for name, reference in bound.secret_headers.items()}
    found = [_key(label, reference) for label, reference in {**bound.secrets, **headers}.items()]
    checks = [check for check in found if check is not None]
    if checks:
        return checks
    if isinstance(bound.auth, NoAuth):
        return [Check("key", "ok", "none needed")]
    if getattr(bound.auth, "searches", False):
        return [Check("key", "ok", f"{bound.auth.name} looks for credentials at the first call")]
    return [Check("key", "fail", f"{bound.auth.name} needs a key, and the file names none", "api_key: ${API_KEY}")]


def _key(label: str, reference: SecretReference) -> Check | None:
    """Where a key was found; of the key itself four digits of a digest, to tell two apart."""
    from byollm.config.secrets import is_placeholder

    shown = "key" if label == "api_key" else label
    try:
        secret = reference.resolve()
    except AuthenticationError as error:
        return Check(shown, "fail", error.message, error.hint)
    except ByollmError as error:
        return failed(shown, error)
    if not secret:
        return None
    place = _place(reference)
    if is_placeholder(secret.reveal()):
        return Check(shown, "fail", f"what stands in {place} is a placeholder", f"put the real {label} there")
    told = f"found in {place} (sha256 {secret.digest[:4]}…)"
    if reference.kind == "literal":
        return Check(shown, "warn", told, f"write a reference instead: {label}: ${{NAME}}")
    return Check(shown, "ok", told)


def _place(reference: SecretReference) -> str:
    import os

    if reference.kind == "env":
        return next((f"${{{name}}}" for name in reference.text if os.environ.get(name)), reference.source)
    return reference.source


def _live(client: Client, name: str, bound: Bound, before: Sequence[Check]) -> list[Check]:
    from byollm.cli.live import ask
    from byollm.wire.auth import NoAuth

    broken = next((check.name for check in before if check.state == "fail"), None)
    if broken is not None:
        return _skipped(f"not asked: first mend {broken}", "accepted", "model")
    found = ask(client, name)
    if isinstance(bound.auth, NoAuth):
        return [check for check in found if check.name != "accepted" or check.state == "fail"]
    return found


def _extensions(client: Client) -> list[Check]:
    """Middleware and observers that were loaded, and how often each observer failed in this process."""
    failures = client.observers.failures
    mend = "the log of byollm says why, once: logging.getLogger('byollm')"
    found = [
        Check("observer", "fail", f"{name} failed {'once' if count == 1 else f'{count} times'}", mend)
        for name, count in failures.items()
    ]
    config = client.config
    for kind, extensions in (("observer", config.observers), ("middleware", config.middleware)):
        found += [Check(kind, "ok", f"{item.name} is loaded") for item in extensions]
    return [*found, *_health(client), *_prices(config)]


def _health(client: Client) -> list[Check]:
    """What middleware and observers say of themselves."""
    found: list[Check] = []
    for extension in client.operation.extensions:
        name = type(extension).__name__.lower()
        try:
            found += [Check(name, *told) for told in getattr(extension, "health", tuple)()]
        except Exception as error:  # one that is ill hides no other
            told = surprise(error)
            found.append(Check(name, "fail", told.message, told.hint))
    return found


def _prices(config: LlmConfig) -> list[Check]:
    """Who tells what answers cost. A plugin that does not work leaves costs unknown and no call undone."""
    from byollm.providers.prices import prices_for

    prices = prices_for(config.plugins, config.lock)
    found = [Check("prices", "ok", f"{name} is loaded") for name in prices.sources]
    return found + [Check("prices", "warn", error.message, error.hint) for error in prices.problems.values()]


def versions() -> dict[str, str]:
    """byollm, Python, OpenSSL, and the libraries that carry it, those that are installed."""
    import platform
    import ssl
    from importlib.metadata import PackageNotFoundError, version

    from byollm.types.version import VERSION

    found = {"byollm": VERSION, "python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION.split()[1]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _print(
    config: LlmConfig, targets: dict[str, list[Check]], extensions: list[Check], options: argparse.Namespace
) -> None:
    show.say(" · ".join(f"{name} {version}" for name, version in versions().items()))
    for name, checks in targets.items():
        deployment = config.deployments[name]
        show.say(f"\n{name}: {deployment.provider}/{deployment.model}")
        print_checks(checks, indent="")
    if extensions:
        show.say("\nplugins around the calls")
        print_checks(extensions, indent="")
    failures = sum(check.state == "fail" for checks in targets.values() for check in checks)
    failures += sum(check.state == "fail" for check in extensions)
    asked = "" if options.live else "; --live asks each one tiny question with its key"
    show.say(f"\n{_amount(len(targets), 'target')}, {_amount(failures, 'failure')}{asked}")


def _amount(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _print_json(config: LlmConfig, targets: dict[str, list[Check]], extensions: list[Check]) -> None:
    show.document(
        {
            "versions": versions(),
            "targets": [
                {
                    "deployment": name,
                    "provider": config.deployments[name].provider,
                    "model": config.deployments[name].model,
                    "ok": all(check.state != "fail" for check in checks),
                    "checks": as_data(checks),
                }
                for name, checks in targets.items()
            ],
            "extensions": as_data(extensions),
        }
    )
