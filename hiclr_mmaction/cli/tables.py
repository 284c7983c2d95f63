"""Tables of results."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None
) -> str:
    """Print a table with numbers in all columns but the first; returns it in Markdown."""
    table = Table(title=title)
    table.add_column(headings[0], overflow='fold')
    for heading in headings[1:]:
        table.add_column(heading, justify='right')
    rows = list(rows)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    rule = ['---', *['---:'] * (len(headings) - 1)]
    lines = [f'| {" | ".join(row)} |' for row in (headings, rule, *rows)]
    return '\n'.join([title or '', '', *lines, ''])
