"""Names of time zones: checked against this machine's database, with a remedy for those it does not know."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

#: Names that Debian 13 moved to its package tzdata-legacy -> what they are called (IANA's file ``backward``). Others of
#: that file are found by their spelling, or not at all.
_RENAMED = {
    "US/Alaska": "America/Anchorage", "US/Arizona": "America/Phoenix", "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York", "US/Hawaii": "Pacific/Honolulu", "US/Mountain": "America/Denver",
    "US/Pacific": "America/Los_Angeles", "Canada/Atlantic": "America/Halifax", "Canada/Central": "America/Winnipeg",
    "Canada/Eastern": "America/Toronto", "Canada/Mountain": "America/Edmonton", "Canada/Pacific": "America/Vancouver",
    "Brazil/East": "America/Sao_Paulo", "Mexico/General": "America/Mexico_City", "GB": "Europe/London",
    "Eire": "Europe/Dublin", "Portugal": "Europe/Lisbon", "Poland": "Europe/Warsaw", "Turkey": "Europe/Istanbul",
    "Europe/Kiev": "Europe/Kyiv", "Israel": "Asia/Jerusalem", "Iran": "Asia/Tehran", "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu", "Asia/Saigon": "Asia/Ho_Chi_Minh", "Hongkong": "Asia/Hong_Kong",
    "Japan": "Asia/Tokyo", "PRC": "Asia/Shanghai", "ROK": "Asia/Seoul", "Singapore": "Asia/Singapore",
    "Australia/ACT": "Australia/Sydney", "Australia/NSW": "Australia/Sydney",
    "Australia/Queensland": "Australia/Brisbane", "Australia/Victoria": "Australia/Melbourne",
    "NZ": "Pacific/Auckland", "Egypt": "Africa/Cairo",
}  # fmt: skip


def time_zone(name: str) -> str:
    """The name of a time zone that this machine knows. Raises ValueError, with what to write or install instead."""
    if name == "UTC":  # known without a time zone database
        return name
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError
        known = available_timezones()
        if not known:
            what = "this machine has no time zone database; install it: sudo apt install tzdata"
        elif name in _RENAMED:
            what = f"the zone is now called {_RENAMED[name]}; the old name is in Debian's package tzdata-legacy"
        else:
            city = "/" + name.rsplit("/")[-1].casefold()
            near = (zone for zone in sorted(known) if zone.casefold().endswith(city))
            what = f"this machine knows no such time zone; an example is {next(near, 'Europe/Paris')}"
        raise ValueError(what) from error
    return name
