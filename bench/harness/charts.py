"""One SVG per scenario, drawn from the JSON file: a bar to the median, a whisker from least to most."""

import textwrap
from html import escape

from harness import figures

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 170, 250, 56, 30
COLOURS = {"ours": "#c2410c", "peer": "#64748b", "floor": "#15803d", "reference": "#a3a3a3"}
FONT = 'font-family="system-ui, sans-serif"'


def _text(x, y, content, size=13, anchor="start", weight="normal", colour="#1f2937"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{escape(content)}</text>')


def _bar(row, y, scale):
    end = LEFT + row.median * scale
    middle = y + ROW / 2 - 3
    label = f"{row.median:,.1f}"
    if row.to_best_peer is not None:
        label += f" · {row.to_best_peer:.2f} × best peer"
    if row.goal is not None:
        label += f", goal ≤ {row.goal:g}"
    weight = "bold" if row.kind == "ours" else "normal"
    return [
        _text(LEFT - 10, middle + 4, row.system, anchor="end", weight=weight),
        f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{ROW - 8}" fill="{COLOURS[row.kind]}"/>',
        f'<line x1="{LEFT + row.least * scale:.1f}" x2="{LEFT + row.most * scale:.1f}" y1="{middle + 1}" '
        f'y2="{middle + 1}" stroke="#111827" stroke-width="1.5"/>',
        _text(LEFT + row.most * scale + 8, middle + 4, label, size=12, weight=weight),
    ]


def chart(scenario, by_system, kinds, meta):
    found = figures.rows(scenario, by_system, kinds)
    if not found:
        return None
    foot = footer(meta)
    height = TOP + ROW * len(found) + 10 + 15 * len(foot)
    scale = (WIDTH - LEFT - RIGHT) / max(row.most for row in found)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT} role="img">',
        f"<title>{escape(scenario.name)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 24, f"mode: {scenario.mode}, {scenario.title}", size=16, weight="bold"),
        _text(16, 43, f"{scenario.unit}, less is better; the line spans least to most; measured {found[0].rounds} times",
              size=12, colour="#4b5563"),
    ]
    for i, row in enumerate(found):
        parts += _bar(row, TOP + ROW * i, scale)
    for i, line in enumerate(foot):
        parts.append(_text(16, height - 15 * (len(foot) - i) + 6, line, size=11, colour="#6b7280"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def footer(meta):
    """Date, machine and command, in lines that fit."""
    said = f"{meta['date']}, {meta['machine']}, {meta['openssl']}, revision {meta['revision']}: {meta['command']}"
    return textwrap.wrap(said, 120)


def write_charts(directory, scenarios, results, kinds, meta):
    """Returns the files written."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for scenario in scenarios:
        drawn = chart(scenario, results.get(scenario.name, {}), kinds, meta)
        if drawn is not None:
            written.append(directory / f"{scenario.name}.svg")
            written[-1].write_text(drawn)
    return written
