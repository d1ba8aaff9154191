"""A drawing of ratios as SVG: a bar for the median, a line from least to most, a mark for goals."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from bench.rounds import Ratio

WIDTH, LABELS, RIGHT, ROW, TOP = 980, 440, 70, 26, 56
TICKS = 5


def draw(title: str, ratios: Sequence[Ratio]) -> str:
    """One SVG document."""
    most = max([max(r.rounds) for r in ratios] + [r.goal or 0 for r in ratios], default=1.0)
    height = TOP + ROW * len(ratios) + 30
    body = "\n".join(_elements(title, ratios, most * 1.05 or 1.0, height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="sans-serif" font-size="13">\n{body}\n</svg>\n'
    )


def _elements(title: str, ratios: Sequence[Ratio], most: float, height: int) -> Iterator[str]:
    def across(value: float) -> float:
        return round(LABELS + (WIDTH - LABELS - RIGHT) * value / most, 1)

    bottom = height - 26
    yield f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    yield f'<text x="12" y="26" font-size="16" font-weight="bold">{escape(title)}</text>'
    for tick in range(TICKS + 1):
        value = most * tick / TICKS
        yield _line(across(value), TOP - 10, across(value), bottom, "#ddd")
        yield (
            f'<text x="{across(value)}" y="{height - 10}" text-anchor="middle"'
            f' fill="#555">{value:.2f}</text>'
        )
    for place, ratio in enumerate(ratios):
        y = TOP + ROW * place
        middle = y + ROW // 2 - 4
        end = across(ratio.median)
        name = escape(ratio.name)
        yield f'<text x="{LABELS - 10}" y="{middle + 5}" text-anchor="end">{name}</text>'
        yield (
            f'<rect x="{LABELS}" y="{y}" width="{end - LABELS:.1f}" height="{ROW - 8}"'
            f' fill="{"#c96" if ratio.met is False else "#69b"}"/>'
        )
        yield _line(across(min(ratio.rounds)), middle, across(max(ratio.rounds)), middle, "#222")
        if ratio.goal is not None:
            goal = across(ratio.goal)
            yield _line(goal, y - 3, goal, y + ROW - 5, "#b00")
        yield f'<text x="{WIDTH - RIGHT + 8}" y="{middle + 5}">{ratio.median:.3f}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1.5"/>'
