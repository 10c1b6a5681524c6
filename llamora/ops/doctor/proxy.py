"""The check of the settings for a reverse proxy."""

from collections.abc import Iterator

from django.conf import settings

from llamora.ops.doctor.check_result import CheckResult, ok, warn


def check_trusted_proxies() -> Iterator[CheckResult]:
    """Report a proxy that is not trusted, and trusted addresses that are not in a private network."""
    proxies, origins = settings.TRUSTED_PROXIES, settings.CSRF_TRUSTED_ORIGINS
    named = ", ".join(str(network).removesuffix(f"/{network.max_prefixlen}") for network in proxies)
    public = [str(network) for network in proxies if not network.is_private]
    secure = [origin for origin in origins if origin.startswith("https://")]
    if public:
        yield warn(
            "proxy",
            f"{', '.join(public)} in LLAMORA_TRUSTED_PROXIES does not belong to a private "
            "network. Whoever sends requests from there can pretend to any address; name the proxy alone.",
        )
    elif proxies:
        yield ok(
            "proxy",
            f"{named} may say who a client is and whether it uses HTTPS; every program that sends requests "
            "from there may.",
        )
    elif secure:
        yield warn(
            "proxy",
            f"{secure[0]} in LLAMORA_TRUSTED_ORIGINS is a proxy's, but no proxy is trusted: cookies are sent "
            "over plain HTTP too, and failed sign-ins of everybody count as one address's. Set "
            "LLAMORA_TRUSTED_PROXIES to the address the proxy connects from, 127.0.0.1 for one on this "
            "machine.",
        )
    else:
        yield ok("proxy", "None is trusted. If one stands before Llamora, set LLAMORA_TRUSTED_PROXIES.")
