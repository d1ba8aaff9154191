"""What every benchmark may be told."""

from pathlib import Path
from typing import Annotated

import typer

HOME = Path(__file__).resolve().parents[1] / ".dtsen" / "bench"

Home = Annotated[Path, typer.Option(help="Folder that keeps the synthetic people.")]
People = Annotated[int, typer.Option(min=1000, help="Synthetic people in the release.")]
Rounds = Annotated[int, typer.Option(min=1, help="Interleaved rounds.")]
Seconds = Annotated[float, typer.Option(min=1, help="Length of one measurement.")]
