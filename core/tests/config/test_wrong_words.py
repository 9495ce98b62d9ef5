"""Wrong words get the right one, with file, line and column, and the last line mends it."""

from __future__ import annotations

import pytest

from byollm.config.llm_config import load
from byollm.errors import ConfigError

TARGET = "llm_config:\n  provider: openai\n  model: gpt-4\n"


@pytest.mark.parametrize(
    "line, column, told, mend",
    [
        ("base_url: https://x.example.com", 3, "did you mean `endpoint`?", "endpoint: https://api.example.com/v1"),
        ("api_base: https://x.example.com", 3, "did you mean `endpoint`?", "endpoint: https://api.example.com/v1"),
        ("fallbacks: [x]", 3, "did you mean `failover`?", "failover: [backup]"),
        ("key: sk-123", 3, "did you mean `api_key`?", "api_key: ${OPENAI_API_KEY}"),
        ("apikey: sk-123", 3, "did you mean `api_key`?", "api_key: ${OPENAI_API_KEY}"),
        ("drop_params: true", 3, "did you mean `on_unsupported`?", "on_unsupported: strict"),
        ("on_unsupported: strct", 19, "is adapt or strict, not `strct`", "on_unsupported: strict"),
        ("guard: aks", 10, "is ask or local, not `aks`", "guard: ask"),
        ("timeout: {read: 5}", 13, "`read` is not a key of `timeout`; did you mean `idle`?", "write `idle:`"),
        ("timeout: 30s", 12, "`timeout` must be a mapping", "timeout: 30   (seconds)"),
        ("timeout: 0", 3, "in seconds, more than 0, not `0`", "timeout: 60"),
        ("timeout: {total: .inf}", 20, "`total` must be", "timeout: {total: 60}"),
        ("timeout: {total: true}", 20, "`total` must be a number", "timeout: {total: 60}"),
        ("retries: 2", 12, "`retries` is a mapping", "retries: {attempts: 3}   (the first attempt counts)"),
        ("retries: {attempts: 0}", 23, "`attempts` must be at least 1", "retries: {attempts: 3}   (1 means no retry)"),
        ("retries: {max_retries: 3}", 13, "did you mean `attempts`?", "retries: {attempts: 3}   (1 means no retry)"),
        ("tls: {verify: false}", 9, "certificates are always verified", "name your own authority: `ca: company.pem`"),
        ("tls: {key: k.pem}", 9, "`key` needs `cert`", "tls: {ca: company.pem, cert: client.pem, key: client-key.pem}"),
        ("proxy: socks5://x:1", 10, "speaks socks5", "proxy: http://proxy.example.com:3128"),
        ("endpoint: api.openai.com/v1", 13, "is not a whole URL", "endpoint: https://api.openai.com/v1"),
        (
            "endpoint: ftp://x.example.com",
            13,
            "begins with http:// or https://",
            "endpoint: https://api.example.com/v1",
        ),
        ("endpoint: https://u:p@x.example.com", 13, "holds a user or password", "name it under `api_key:`"),
        ("endpoint: ${URL}", 13, "is read as it stands", "endpoint: https://api.example.com/v1"),
        ("api_key:", 3, "`api_key:` is empty", "api_key: ${OPENAI_API_KEY}, or remove the line"),
        ("api_key: $OPENAI_API_KEY", 12, "written with braces", "write `${OPENAI_API_KEY}`"),
        ("api_key: os.environ/OPENAI_API_KEY", 12, "another library's way", "write `${OPENAI_API_KEY}`"),
        (
            "api_key: ${KEY:-x}",
            12,
            "is no variable's name",
            "write `${NAME}` with letters, digits and `_`; no default, no expression",
        ),
        ("api_key: env:A B", 12, "no variable's name", "write `env:NAME`"),
        (
            "api_key: cmd:pass show x",
            12,
            "does not allow it",
            "if it may, write `secrets: {allow_cmd: true}` beside the tasks",
        ),
        ("headers: {Host: x}", 13, "the transport's own", "remove the line"),
        ("headers: {A: x, a: y}", 19, "stands twice", "keep one of the two"),
        ("headers: {A B: x}", 13, "cannot be a header's name", "headers: {X-Team: search}"),
        ('headers: {A: "x\\ny"}', 16, "no header can carry", "use printable ASCII"),
        ('query: {key: "${KEY}"}', 11, "ends up in logs", "send it as a header: `headers: {X-Api-Key: …}`"),
        ("query: {key: abc}", 11, "ends up in logs", "send it as a header: `headers: {X-Api-Key: …}`"),
        ("query: {v: env:KEY}", 11, "ends up in logs", "send it as a header: `headers: {X-Api-Key: …}`"),
        (
            "endpoint: https://x.example.com/v1?subscription-key=abc",
            3,
            "ends up in logs",
            "send it as a header: `headers: {X-Api-Key: …}`",
        ),
        (
            "endpoint: https://x.example.com/?v=sk-abcdefghijklmnop",
            3,
            "ends up in logs",
            "send it as a header: `headers: {X-Api-Key: …}`",
        ),
        ("capabilities: {tool: true}", 18, "did you mean `tools`?", "write `tools:`"),
        (
            "capabilities: {vocabulary: klingon}",
            30,
            "`vocabulary` is o200k_base or cl100k_base, not",
            "capabilities: {context_window: 128000, tools: true}",
        ),
        ("capabilities: {tools: maybe}", 25, "`tools` is true, false or one of", "tools: true"),
        (
            "capabilities: {context_window: big}",
            34,
            "is a whole number, not `big`",
            "capabilities: {context_window: 128000, tools: true}",
        ),
        (
            "authentication: oauth",
            19,
            "needs its token endpoint",
            "authentication: {type: oauth, token_url: …, client_id: …, client_secret: …}",
        ),
        ("authentication: {type: oauth2}", 26, "only `type: oauth`", "authentication: bearer-token"),
        (
            "authentication: {type: oauth}",
            3,
            "`authentication` needs `token_url:`",
            "token_url: https://login.example.com/oauth2/token",
        ),
        (
            "pricing: {in: 1, out: 2}",
            13,
            "`in` is not a key of `pricing`; did you mean `input`?",
            "write `input:`",
        ),
        ("pricing: {input: 1, output: free}", 31, "output must be an amount", "pricing: {input: 2.5, output: 10}"),
        ("transport: htpx", 14, "`transport` is httptools, httpx, httpx2 or pyreqwest, not `htpx`", "transport: httpx"),
        ("transport: {name: httpx}", 14, "not a mapping", "transport: httpx"),
        ("authentication:", 3, "`authentication:` is empty", "authentication: bearer-token, or remove the line"),
        ("tags: [1]", 10, "`1` was read as a number", '"1", in quotes'),
        ("endpoint: 5", 13, "`5` was read as a number", "endpoint: https://api.example.com/v1"),
        ("tags: eu", 9, "`tags` must be a list", "tags: [eu, approved]"),
        ("route: [x]", 3, "this target has a provider of its own", "failover: [backup]"),
        ("failover: [nobody]", 14, "there is no deployment `nobody`", "known: default"),
        ("failover: [{provider: x}]", 14, "a target needs `model:`", 'model: "gpt-5.4"'),
        ("api: 2", 8, "`api` is a text, and `2` was read as a number", 'api: "2"'),
        ("middleware: [5]", 16, "an entry is a name", "- {name: redact}"),
        ("policies: []", 13, "`policies` is a mapping", "approved_providers: [azure, bedrock, custom]"),
        ("default: x", 3, "this one target is the default", "remove the line"),
        ("version: 2", 12, "`version` is 1, not `2`", "version: 1"),
    ],
)
def test_one_wrong_line_of_a_target(refused, line, column, told, mend):
    """Each mistake stands on line 4 and is answered with its column, what is wrong, and the mend."""
    error = refused(f"{TARGET}  {line}\n")

    assert told in error.message
    assert ("llm.yaml", 4, column) == (error.file, error.line, error.column)
    assert mend in str(error).splitlines()[-1]
    assert len(str(error).splitlines()) <= 3


@pytest.mark.parametrize(
    "text, line, column, told, mend",
    [
        ("vendor: openai\nmodel: gpt-4\n", 1, 1, "a target needs `provider:`", "provider: openai"),
        ("model: openai/gpt-4\n", 1, 1, "a target needs `provider:`", "provider: openai, model: gpt-4"),
        ("provider: openai\nmodle: gpt-4\n", 2, 1, "`modle` is not a key of a target", "write `model:`"),
        ("provider: openai\nmodel: 4.10\n", 2, 8, "`4.10` was read as a number", 'model: "4.10"'),
        ("provider: openai/gpt-4\nmodel: x\n", 1, 11, "a provider is one word", "provider: openai"),
        ("a: {vendor: openai, model: x}\n", 1, 5, "`vendor` is not a key of a target", "write `provider:`"),
        (
            "a: {model: openai/gpt-4}\ntasks: {b: x/y}\n",
            1,
            1,
            "is neither a setting nor a task",
            "a: {provider: openai, model: gpt-5.4}",
        ),
        ("secrets: {max_age: soon}\na: x/y\n", 1, 11, "`max_age` must be a number", "max_age: 300"),
        ("observers: [[x]]\na: x/y\n", 1, 13, "an entry is a name", "- {name: ledger}"),
        (
            "tenants: {t: {credential: {x: env:K}}}\na: x/y\n",
            1,
            15,
            "did you mean `credentials`?",
            "write `credentials:`",
        ),
        ("policies: {residency: {eu: {region: [eu]}}}\na: x/y\n", 1, 29, "did you mean `regions`?", "write `regions:`"),
        ("transport: htpx\na: x/y\n", 1, 12, "not `htpx`", "transport: httpx"),
        ("default: 5\na: x/y\n", 1, 10, "`default` names a task, not `5`", "default: a"),
        ("tenants: {acme: 1}\na: x/y\n", 1, 17, "`acme` must be a mapping", "tenants: {acme: {credentials:"),
        ("defaults: 1\na: x/y\n", 1, 11, "`defaults` must be a mapping", "defaults: {timeout: {total: 60}"),
        ("observers: 1\na: x/y\n", 1, 12, "`observers` must be a list", "observers: [ledger]"),
        ("llm-config: {a: x/y}\n", 1, 1, "is neither a setting nor a task", "did you mean `llm_config:`?"),
        ("tasks: {t: {rout: [a]}}\na: x/y\n", 1, 13, "`rout` is not a key of a task", "did you mean `route:`?"),
        ("t: {deploymnt: a}\na: x/y\n", 1, 5, "`deploymnt` is not a key of a task", "did you mean `deployment:`?"),
        ("a: x/y\ntimeout: 5\n", 2, 1, "`timeout` belongs to a target, and stands beside", "defaults: {timeout: {"),
        ("a: x/y\napi_key: env:K\n", 2, 1, "`api_key` belongs to a target", "move `api_key:` into the target"),
        (
            "limits: {requests_per_minute: 500}\na: x/y\n",
            1,
            10,
            "`limits` here names groups",
            "limits: {team: {requests_per_minute: 500}}",
        ),
        ("on_unsuported: strict\na: x/y\n", 1, 1, "is neither a setting nor a task", "did you mean `on_unsupported:`?"),
        ("deployment: {x: x/y}\n", 1, 1, "is neither a setting nor a task", "did you mean `deployments:`?"),
        ("model_list: {x: x/y}\n", 1, 1, "is neither a setting nor a task", "did you mean `deployments:`?"),
        ("callbacks: [x]\na: x/y\n", 1, 1, "is neither a setting nor a task", "did you mean `observers:`?"),
        ("a: [b, c]\n", 1, 1, "is neither a setting nor a task", "a: {route: [fast, backup]}"),
        (
            "a: {deployment: fats}\ndeployments: {fast: x/y}\n",
            1,
            17,
            "there is no deployment `fats`",
            "did you mean `fast`?",
        ),
        (
            "a: {route: cheapest}\n",
            1,
            12,
            "lists deployments, or names a policy",
            "route: {policy: cheapest, over: [fast, backup]}",
        ),
        ("a: {route: [b], deployment: b}\nb: x/y\n", 1, 5, "say the same", "keep one of the two"),
        ("a: {failover: []}\n", 1, 1, "the task `a` has no deployment", "route: [fast, backup]"),
        ("tasks: {a: x/y}\na: x/z\n", 1, 9, "the task `a` stands twice", "keep one of the two"),
        (
            "a: {provider: x, model: y}\ndeployments: {a: x/z}\n",
            1,
            1,
            "`a` names two targets (the other on line 2)",
            "rename one",
        ),
        ("default: summarise\nsummarize: x/y\n", 1, 10, "no task or deployment", "default: summarize"),
        (
            "defaults: {api_key: env:K}\na: x/y\n",
            1,
            12,
            "would hold for every provider",
            "write `api_key:` in each target",
        ),
        (
            'defaults: {headers: {X-Key: "${K}"}}\na: x/y\n',
            1,
            22,
            "sent to every provider",
            "write the header in the target",
        ),
        (
            "tenants: {acme: {credentials: {opnai: env:K}}}\na: openai/x\n",
            1,
            32,
            "is no deployment and no provider",
            "did you mean `openai`?",
        ),
        (
            "tenants: {acme: {api_key: env:K}}\na: openai/x\n",
            1,
            18,
            "`api_key` is not a key of `tenants`",
            "`tenants` takes credentials",
        ),
        ("secrets: {allow_commands: true}\na: x/y\n", 1, 11, "did you mean `allow_cmd`?", "write `allow_cmd:`"),
        ("llm_config: {a: x/y}\ndefaults: {}\n", 2, 1, "stands beside `llm_config`", "indent it below `llm_config:`"),
        (
            "llm_config: [1]\n",
            1,
            13,
            "must be a mapping, not a list",
            'llm_config: {provider: "openai", model: "gpt-5.4"}',
        ),
        ("llm_config: {}\n", 1, 1, "nothing is configured", 'llm_config: {provider: "openai", model: "gpt-5.4"}'),
        ("plugins: openai\na: x/y\n", 1, 10, "`plugins` must be a list", "plugins: [byollm-openai, byollm-anthropic]"),
        ("plugins: {lok: a}\na: x/y\n", 1, 11, "did you mean `lock`?", "plugins: {lock: byollm.lock}"),
    ],
)
def test_one_wrong_line_of_the_root(refused, text, line, column, told, mend):
    """Typos of settings are not taken for tasks; unknown names get the nearest."""
    error = refused(text)

    assert told in error.message
    assert ("llm.yaml", line, column) == (error.file, error.line, error.column)
    assert mend in str(error).splitlines()[-1]


def test_a_circle_of_failover_is_told_whole(refused):
    """A failover that comes back to itself is an error at load, with every step of it."""
    error = refused("""\
a: {provider: x, model: y, failover: [b]}
b: {provider: x, model: y, failover: [c]}
c: {provider: x, model: y, failover: [a]}
""")

    assert "failover goes in a circle: a → b → c → a" == error.message
    assert (1, 39) == (error.line, error.column)


def test_a_deployment_does_not_fail_over_to_itself(refused):
    """The shortest circle."""
    assert "a → a" in refused("a: {provider: x, model: y, failover: a}").message


def test_several_mistakes_are_counted(refused):
    """The first is explained, the lines of the others are named."""
    error = refused("provider: openai\nmodel: 5\ntags: x\nregion: 7\n")

    assert 2 == error.line
    assert error.message.endswith("(more to mend on line 3, 4)")


def test_without_a_file_the_path_is_told():
    """A mapping from Python has no lines: the error says the keys that lead there."""
    with pytest.raises(ConfigError) as raised:
        load({"llm_config": {"a": {"provider": "x", "model": "y", "failover": [{"provider": "x"}]}}})

    assert str(raised.value).startswith("llm_config.a.failover[0]: a target needs `model:`")


def test_options_of_a_plugin_wait_for_the_plugin(read):
    """A key that no target knows may be the plugin's own: loading keeps it with its place."""
    only = read(f"{TARGET}  organisation: acme\n").deployments["default"]

    assert {"organisation": "acme"} == only.options
    assert (4, 3) == only.places["organisation"][1:]


@pytest.mark.parametrize(
    "key, called",
    [
        ("seed", "client.complete(…, seed=…)"),
        ("stream", "client.stream(…)"),
        ("max_completion_tokens", "client.complete(…, max_tokens=…)"),
        ("response_format", "client.complete(…, output_schema=…)"),
    ],
)
def test_a_parameter_of_the_call_is_shown_in_the_calls_words(refused, key, called):
    """Whoever moves it from the file into the program gets the word that the program takes."""
    assert called == refused(f"defaults: {{{key}: 1}}\na: x/y\n").hint
