"""Short descriptions of browsers, so that people recognise their sign-ins."""

from django.http import HttpRequest

# Order matters: most browsers also name those further down.
_BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


def describe_device(request: HttpRequest) -> str:
    """Return browser and system, such as "Firefox on Linux", from a User-Agent header."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "A browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return f"{browser} on {system}" if system else browser
