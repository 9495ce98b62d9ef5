"""Who calls: a Bedrock key as a bearer token, an access key that signs, or whatever botocore's chain of sources finds.

A deployment's own credentials in the file come before the environment's, and never mix with them (the core sees to it);
a bearer key comes before access keys. botocore itself lets AWS_BEARER_TOKEN_BEDROCK win over keys that a program names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from byollm.plugin import AuthContext, AuthenticationError, AuthFlow, AuthScheme, HttpRequest, Manifest, Secret, Target
from byollm_bedrock.places import HOME, at_home, on_mantle, region_of
from byollm_bedrock.sigv4 import Keys, sign

CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "api_key": ("AWS_BEARER_TOKEN_BEDROCK",),
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
}
_NOTHING: Final = Secret("")
_HINT: Final = (
    "api_key: ${AWS_BEARER_TOKEN_BEDROCK}, or credentials: {access_key_id: env:AWS_ACCESS_KEY_ID, secret_access_key: "
    "env:AWS_SECRET_ACCESS_KEY}, or authentication: chain (pip install 'byollm-bedrock[chain]')"
)


@dataclass(frozen=True, slots=True)
class Aws:
    """The default: a bearer key where there is one, else a signature made with the access key.

    Credentials: `api_key`, or `access_key_id`, `secret_access_key` and, for keys that expire, `session_token`.
    `region` and `service` go into the signature. `bearer` False: sign, whatever else is there (`sigv4`).
    """

    region: str = HOME
    service: str = "bedrock"
    bearer: bool = True
    name: str = "aws"
    refreshes: bool = False

    def at(self, target: Target) -> Aws:
        """This scheme for one deployment."""
        return replace(self, region=signing_region(target), service=signing_service(target))

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header for a bearer key, two or three for a signature. Raises AuthenticationError without credentials."""
        key = context.secrets.get("api_key")
        if self.bearer and key:
            return {"authorization": f"Bearer {key.reveal()}"}
        keys = given_keys(context)
        if keys is None:
            raise AuthenticationError("no credentials of AWS are configured for this deployment", sent="no", hint=_HINT)
        return sign(request, keys, region=self.region, service=self.service, now=context.now())
        yield  # a generator, like every flow


@dataclass(frozen=True, slots=True)
class Chain:
    """`authentication: chain`: botocore looks for credentials where AWS's own tools do.

    Environment, shared configuration with its profiles, SSO, assumed roles, processes, containers, instances. What the
    file gives goes before: a bearer key, then access keys, then the `profile` that it names, and only then the
    environment's. What the chain finds goes to Bedrock's own hosts only. botocore keeps it fresh; it is imported at the
    first call, and asked in a thread where the program is async.
    """

    region: str = HOME
    service: str = "bedrock"
    profile: str | None = None
    name: str = "chain"
    refreshes: bool = True
    searches: bool = True

    def at(self, target: Target) -> Chain:
        """This scheme for one deployment."""
        profile: Any = target.options.get("profile")
        return replace(self, region=signing_region(target), service=signing_service(target), profile=profile)

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header for a bearer key, else sign: with the file's keys, or with what the chain found.

        Raises AuthenticationError when it finds nothing or is not installed, and for a host that is not Bedrock's.
        """
        given = self.profile is None or not _from_environment(context)
        key = context.secrets.get("api_key") if given else None
        if key:
            return {"authorization": f"Bearer {key.reveal()}"}
        keys = given_keys(context) if given else None
        if keys is None:
            if not at_home(request.url):
                raise AuthenticationError("an identity of this machine is sent to Bedrock's own hosts only", sent="no")
            from byollm_bedrock import chain

            found: chain.Found | None = context.state.get("found")
            if found is None or found.stale or context.forced:
                found = yield lambda: chain.look(self.profile, found)
                assert isinstance(found, chain.Found)
                context.state["found"] = found
                context.state["keys"] = (
                    found.keys.access_key_id,
                    found.keys.secret_access_key,
                    found.keys.session_token,
                )
            keys = found.keys
        return sign(request, keys, region=self.region, service=self.service, now=context.now())


def _from_environment(context: AuthContext) -> bool:
    """The usual variables were asked: then there is a place for each of them, empty or not. A file names a few."""
    return CREDENTIALS.keys() <= context.secrets.keys()


def scheme_of(manifest: Manifest, target: Target) -> AuthScheme:
    """The target's auth scheme, for its region and service."""
    schemes = manifest.authentication
    scheme: Any = schemes.get(target.authentication or "aws", schemes["aws"])
    bound: AuthScheme = scheme.at(target) if hasattr(scheme, "at") else scheme
    return bound


def given_keys(context: AuthContext) -> Keys | None:
    """The access key among a deployment's secrets; None without one. Raises AuthenticationError for half of one."""
    found = {name: context.secrets.get(name) or _NOTHING for name in CREDENTIALS if name != "api_key"}
    missing = [name for name in ("access_key_id", "secret_access_key") if not found[name]]
    if len(missing) == 2:
        return None
    if missing:
        raise AuthenticationError(
            f"no {missing[0]} is configured for this deployment",
            sent="no",
            hint=f"credentials: {{{missing[0]}: env:…}}",
        )
    return Keys(**found)


def signing_region(target: Target) -> str:
    """The region that goes into a signature: the target's, else its host's."""
    return target.region or region_of(target.endpoint) or HOME


def signing_service(target: Target) -> str:
    """`bedrock` for the runtime, `bedrock-mantle` for Mantle."""
    return "bedrock-mantle" if on_mantle(target) else "bedrock"
