"""`python -m lotgate.generator`: writes a generated legacy database and prints what is in it."""

from __future__ import annotations

from pathlib import Path

import click

from lotgate.errors import LotgateError
from lotgate.generator import Generated, Shape, generate


def _report(made: Generated) -> None:
    click.echo(f"{made.database}: {made.rows} rows of shipped_items, {made.orders} order headers")
    if made.shipstation:
        click.echo(f"{made.shipstation}: {made.recovered} lines to be recovered")
    click.echo(f"{made.controls}: {made.decisions} decisions")
    for (disposition, reason), count in made.reasons.items():
        click.echo(f"{count:>10}  {disposition}, {reason}")


@click.command(
    epilog="Example: python -m lotgate.generator --rows 2000 --seed 7 --shape late --out target/generated"
)
@click.option("--rows", type=click.IntRange(min=1), required=True, help="Rows of shipped_items.")
@click.option("--seed", type=int, required=True, help="The same seed writes the same contents.")
@click.option(
    "--shape",
    type=click.Choice([shape.value for shape in Shape]),
    default=Shape.late.value,
    show_default=True,
    help="Variant of the legacy schema.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory for the files; it must not hold any of them yet.",
)
@click.option(
    "--shipstation/--no-shipstation", default=True, show_default=True, help="With evidence or without."
)
@click.option(
    "--nasty",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of rows that are not ordinary.",
)
def main(rows: int, seed: int, shape: str, out: Path, shipstation: bool, nasty: float) -> None:
    """Write a legacy database with known answers."""
    try:
        made = generate(
            out, rows=rows, seed=seed, shape=Shape(shape), with_shipstation=shipstation, nasty=nasty
        )
    except LotgateError as error:
        message = error.message if error.hint is None else f"{error.message}. {error.hint}"
        click.echo(f"Error: {message}", err=True)
        raise SystemExit(error.exit_code) from error
    _report(made)


if __name__ == "__main__":
    main()
