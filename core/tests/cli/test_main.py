"""Which commands there are, and what a wrong one is told."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from byollm import __version__
from byollm.cli.catalog import CORE, ELSEWHERE


def test_help_names_every_command(run):
    """`byollm --help` lists the commands of core and those that other packages bring today."""
    ran = run("--help")

    assert ran.code == 0
    assert [] == [name for name in CORE if f"  {name} " not in ran.out]
    assert "byollm-sandbox" in ran.out


def test_no_words_are_a_question_for_help(run):
    """`byollm` alone prints the help."""
    assert run().out == run("--help").out


def test_version(run):
    """`byollm --version` is the distribution's."""
    assert run("--version").out == f"byollm {__version__}\n"


def test_each_command_explains_itself(run):
    """Every command of core has a --help that names its options, --json among them."""
    for name in CORE:
        ran = run(name, "--help")

        assert ran.code == 0
        assert f"byollm {name}" in ran.out
        assert "--json" in ran.out


def test_help_of_a_command_may_be_asked_the_other_way_round(run):
    """`byollm help check` is `byollm check --help`."""
    assert run("help", "check").out == run("check", "--help").out


def test_help_needs_no_library(fresh):
    """`byollm --help` imports no pydantic, YAML, HTTP library or plugin, and no argparse either."""
    code = (
        "import sys; from byollm.cli.main import main; main(['--help']);"
        "print(sorted({'pydantic', 'yaml', 'httpx', 'httpcore', 'pluggy', 'stevedore', 'argparse', 'ssl'}"
        " & set(sys.modules)))"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "wrong, right",
    [("compelte", "complete"), ("Doctor", "doctor"), ("sandox", "sandbox"), ("capability", "capabilities")],
)
def test_an_unknown_command_names_the_nearest(run, wrong, right):
    """A mistyped command is wrong usage, and the right one is named."""
    ran = run(wrong)

    assert (ran.code, ran.mend) == (2, f"did you mean `byollm {right}`?")


def test_an_unknown_command_that_resembles_none(run):
    """A word like no command is sent to the help."""
    ran = run("xyzzy")

    assert (ran.code, ran.mend) == (2, "byollm --help lists the commands")


def test_options_before_the_command(run):
    """An option in front of the command is told where it belongs."""
    ran = run("--json", "check")

    assert ran.code == 2
    assert "options follow the command" in ran.err


def test_a_missing_command_names_its_package(run, monkeypatch):
    """A command whose distribution is not installed says what to install, also from a clone, and exits 2."""
    monkeypatch.setattr("byollm.providers.discovery.entry_points", lambda group: ())
    monkeypatch.setattr("importlib.metadata.version", _not_found)

    ran = run("sandbox")

    assert ran.code == 2
    assert "byollm-sandbox" in ran.err
    assert ran.mend == "pip install byollm-sandbox   (from a clone: pip install ./contrib/sandbox)"


def _not_found(name: str) -> str:
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)


def test_a_command_that_does_not_exist_yet_says_so(run):
    """A reserved name without a distribution does not promise one."""
    name = next(name for name, home in ELSEWHERE.items() if not home.folder)

    ran = run(name)

    assert ran.code == 2
    assert "does not exist yet" in ran.err


def test_a_command_of_another_distribution(run, distribution: Callable[..., object]):
    """An entry point of `byollm.commands` is called with the words after its name; its answer is the exit code."""
    code = "def hello(words):\n    print('hello', words)\n    return 1\n"
    distribution("acme_commands", "byollm.commands", {"hello": "acme_commands:hello"}, code)

    ran = run("hello", "--json", "you")

    assert (ran.code, ran.out) == (1, "hello ['--json', 'you']\n")


def test_a_command_that_answers_nothing_is_done(run, distribution):
    """A command that returns None has done its work."""
    distribution("acme_quiet", "byollm.commands", {"quiet": "acme_quiet:quiet"}, "def quiet(words):\n    pass\n")

    assert run("quiet").code == 0


def test_a_command_cannot_replace_one_of_core(run, distribution):
    """An entry point called `check` is never asked: core's own commands go first."""
    distribution("acme_thief", "byollm.commands", {"check": "acme_thief:check"}, "raise SystemExit(99)\n")

    assert run("check", "--help").code == 0


def test_a_broken_command_names_its_distribution(run, distribution):
    """A command that cannot be imported is told with its distribution and the line that mends it."""
    distribution("acme_broken", "byollm.commands", {"broken": "acme_broken:run"}, "import no_such_module\n")

    ran = run("broken")

    assert ran.code == 1
    assert "acme_broken 1.0 cannot be imported" in ran.err
    assert ran.mend == "reinstall it: pip install --force-reinstall acme_broken"


def test_a_surprise_shows_its_place_and_not_its_text(run, distribution):
    """An error that nobody foresaw is told by class and place; its text, which may hold anything, is not."""
    code = "def fail(words):\n    raise KeyError('sk-a-secret-in-an-error')\n"
    distribution("acme_surprise", "byollm.commands", {"fail": "acme_surprise:fail"}, code)

    ran = run("fail")

    assert ran.code == 1
    assert "KeyError in acme_surprise, line 2" in ran.err
    assert "sk-a-secret" not in ran.err
    assert "Traceback" not in ran.err


def test_the_traceback_is_there_for_those_who_ask(run, distribution, monkeypatch):
    """BYOLLM_DEBUG shows where a surprise came from."""
    monkeypatch.setenv("BYOLLM_DEBUG", "1")
    code = "def fail(words):\n    raise KeyError('x')\n"
    distribution("acme_debug", "byollm.commands", {"fail": "acme_debug:fail"}, code)

    assert "Traceback" in run("fail").err


def test_an_error_as_json(run, yaml):
    """With --json the error is JSON on stdout, and a sentence on stderr all the same."""
    yaml("llm_config: {provider: openai, model: gpt-4o, api_kee: x}")

    ran = run("count", "hi", "--json")

    assert ran.code == 1
    assert ran.json["error"]["type"] == "ConfigError"
    assert ran.json["error"]["line"] == 1
    assert "api_kee" in ran.err


def test_wrong_usage_as_json(run):
    """Wrong usage is JSON, too."""
    ran = run("count", "hi", "--jsn", "--json")

    assert (ran.code, ran.json["error"]["type"], ran.json["error"]["mend"]) == (2, "usage", "did you mean --json?")


@pytest.mark.parametrize(
    "flag, mend",
    [
        ("--temprature=1", "did you mean --temperature?"),
        ("--max_tokens=5", "did you mean --max-tokens?"),
        ("--response-format=json", "did you mean --output-schema?"),
        ("--base-url=http://127.0.0.1", "did you mean --endpoint?"),
        ("--xyzzy", "byollm complete --help"),
    ],
)
def test_a_wrong_option_names_the_right_one(run, flag, mend):
    """A mistyped option, and the words that other programs use for it, are told the right one."""
    ran = run("complete", "hi", flag)

    assert (ran.code, ran.mend) == (2, mend)


def test_a_key_is_no_option(run):
    """`--api-key` is refused, and what followed it is not repeated."""
    ran = run("complete", "hi", "--api-key=sk-0123456789abcdef0123")

    assert ran.code == 2
    assert "api_key: ${NAME}" in ran.mend
    assert "sk-01234" not in ran.err


def test_a_key_in_the_wrong_place_is_not_repeated(run):
    """A value that looks like a key is hidden when argparse complains about it."""
    ran = run("complete", "hi", "--temperature", "sk-0123456789abcdef0123")

    assert ran.code == 2
    assert "sk-01234" not in ran.err


def test_too_many_words(run):
    """A text without quotes is told to get some."""
    ran = run("complete", "what", "is", "this")

    assert (ran.code, ran.mend) == (2, "put a text of several words in quotes")


def test_without_a_file(run):
    """Without any configuration the three ways to have one are named."""
    ran = run("complete", "hi")

    assert ran.code == 1
    assert "there is no llm.yaml in this folder" in ran.err
    assert "byollm init" in ran.mend


@pytest.mark.parametrize("name", ["llm.yaml", "llm.yml", "byollm.yaml", "byollm.yml"])
def test_the_usual_names_are_found(run, tmp_path, name):
    """A file of a usual name in the current folder is the configuration."""
    (tmp_path / name).write_text("llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9'}")

    assert run("check", "--json").json["file"] == name


def test_the_variable_names_the_file(run, tmp_path, monkeypatch):
    """BYOLLM_CONFIG names the configuration; --config goes before it."""
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9'}")
    monkeypatch.setenv("BYOLLM_CONFIG", "one.yaml")

    assert run("check", "--json").json["file"] == "one.yaml"
    assert run("check", "--json", "--config", "two.yaml").json["file"] == "two.yaml"


def test_a_missing_file(run):
    """A file that is not there is named, and `byollm init` with it."""
    ran = run("complete", "hi", "--config", "nowhere.yaml")

    assert ran.code == 1
    assert "nowhere.yaml" in ran.err
    assert "byollm init" in ran.mend


def test_malformed_yaml(run, yaml):
    """Malformed YAML is told with file, line and column, and no traceback."""
    yaml("llm_config:\n  provider: openai\n  model: [gpt-4o\n")

    ran = run("complete", "hi")

    assert ran.code == 1
    assert "llm.yaml:3:10:" in ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_task(run, yaml):
    """A task that the file does not have is told with the nearest it has."""
    yaml("llm_config:\n  rule_extraction: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9'}\n")

    ran = run("complete", "hi", "--task", "rules_extraction")

    assert ran.code == 1
    assert ran.mend == "say --task rule_extraction"


def test_in_a_process_of_its_own(fresh):
    """`python -m byollm`, `python -m byollm.cli` and their exit codes."""
    assert fresh("--version").out == f"byollm {__version__}\n"
    assert fresh("--version", module="byollm.cli").out == f"byollm {__version__}\n"
    assert fresh("compelte").code == 2
    assert fresh("check", "nowhere.yaml").code == 1


def test_no_traceback_when_nobody_reads(twin):
    """A reader that goes away early, as `head` does, is no reason for a traceback."""
    import subprocess

    command = [sys.executable, "-m", "byollm", "capabilities", "--model", "custom/m", "--endpoint", twin.url(), "--all"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait(60) == 1
    assert err == b""


def test_the_installed_command_is_this_one():
    """The script `byollm` that the distribution installs is the main function tested here."""
    from importlib.metadata import entry_points

    from byollm.cli.main import main

    (script,) = entry_points(group="console_scripts", name="byollm")
    assert script.load() is main


def test_a_closed_output(fresh, yaml):
    """With stdout closed, as by `>&-`, a command does its work and leaves its exit code."""
    import subprocess

    yaml("llm_config: {provider: custom, model: m, endpoint: 'http://127.0.0.1:9'}")
    done = subprocess.run(["sh", "-c", f"exec {sys.executable} -m byollm check >&-"], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


def test_an_ascii_terminal(fresh):
    """In an ASCII locale letters arrive as they were typed, and JSON stays JSON."""
    words = ["complete", "--model", "custom/m", "--endpoint", "http://127.0.0.1:9", "--dry-run", "--json", "Grüße €"]
    ran = fresh(*words, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert ran.out.isascii()
    assert ran.json["body"]["messages"][0]["content"] == "Grüße €"


@pytest.mark.parametrize(
    "words, mend",
    [
        (["complete", "--temperature", "nan", "hi"], "the command's --help tells what each option takes"),
        (["complete", "--deployment", "x", "hi"], "say --deployment one"),
        (["complete", "--task", "x", "hi"], "say --task default"),
        (["check", "one", "two"], "byollm check --help"),
        (["complete", "one", "two"], "put a text of several words in quotes"),
    ],
)
def test_the_mend_belongs_to_what_was_said(run, yaml, words, mend):
    """What was wrong on the command line is not looked for in the file, and a name that is unknown gets a known one."""
    yaml("llm_config: {default: {deployment: one}, deployments: {one: {provider: custom, model: m,"
         " endpoint: 'http://127.0.0.1:9', authentication: none}}}")  # fmt: skip

    assert mend == run(*words).mend
