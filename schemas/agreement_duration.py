"""Durations of agreements (ISO 8601: years, months, weeks, days), compared exactly."""

import re

_MONTHS = {"Y": 12, "M": 1}
_DAYS = {"W": 7, "D": 1}
_SHORTEST, _LONGEST = 28, 31


def longer(duration: str, other: str) -> bool:
    """Whether a duration can be longer than another from some day on."""
    months, days = _parts(duration)
    other_months, other_days = _parts(other)
    more = months - other_months
    # What months they share are the same days; the rest are as long as months can be.
    most = _most_days(more) if more >= 0 else -_least_days(-more)
    return most + days > other_days


def _parts(written: str) -> tuple[int, int]:
    """Months and days of a duration."""
    months = days = 0
    for count, unit in re.findall(r"([0-9]+)([YMWD])", written):
        months += int(count) * _MONTHS.get(unit, 0)
        days += int(count) * _DAYS.get(unit, 0)
    return months, days


def _most_days(months: int) -> int:
    """A bound of the days of so many months on end: 366 a year with a leap year in each four."""
    years, rest = divmod(months, 12)
    return years * 365 + (years + 3) // 4 + rest * _LONGEST


def _least_days(months: int) -> int:
    years, rest = divmod(months, 12)
    return years * 365 + rest * _SHORTEST
