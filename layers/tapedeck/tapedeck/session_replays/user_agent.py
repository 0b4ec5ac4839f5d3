"""Browser, system and device out of a User-Agent, by the ua-parser project's tables."""

from __future__ import annotations

from functools import lru_cache

Context = dict[str, str | None]

# The tables are regular expressions: a text that no browser sends must not keep them busy.
MAX_LENGTH = 512


@lru_cache(maxsize=1024)
def contexts(user_agent: str) -> dict[str, Context]:
    """`{"browser": {name, version}, "os": {name, version}, "device": {name, brand, model, family}}`; None is what nobody knows."""
    import ua_parser  # 200 ms when it is first used: not for those who only read

    found = ua_parser.parse(user_agent[:MAX_LENGTH])
    browser, os, device = found.user_agent, found.os, found.device
    family = _known(device.family) if device else None
    return {
        "browser": {
            "name": _known(browser.family) if browser else None,
            "version": _version(browser.major, browser.minor, browser.patch) if browser else None,
        },
        "os": {"name": _known(os.family) if os else None, "version": _version(os.major, os.minor, os.patch) if os else None},
        "device": {
            "name": family,
            "brand": _known(device.brand) if device else None,
            "model": _known(device.model) if device else None,
            "family": family,
        },
    }


def _known(name: str | None) -> str | None:
    return name if name and name != "Other" else None


def _version(*parts: str | None) -> str | None:
    known = []
    for part in parts:
        if not part:
            break
        known.append(part)
    return ".".join(known) or None
