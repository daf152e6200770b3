"""The same models on a local Spark, compared with SQLite's candidate table by table.

Usage: python tests/engines/try_spark.py [--rows 300] [--seed 1]

Needs Java 17 and the extra `spark` (docs/engines.md). Spark runs in dbt's own process, with Parquet files
and a Derby database in a temporary folder. Exits with 1 where anything differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml

try:
    from dbt.adapters.spark import SparkAdapter  # noqa: F401 - only whether it is there
    from pyspark.sql import SparkSession
    from pyspark.sql.types import LongType, StringType, StructField, StructType
except ImportError:
    sys.exit("dbt-spark is missing. In a virtual environment of its own: pip install -e '.[spark]'")

from comparison import Row, compare
from dbt_build import dbt_build
from legacy_copy import read_tables
from report import print_report
from sqlite_build import ROOT, build_with_sqlite


def session(folder: Path) -> Any:
    """A session with the settings of the target, on the tables of ``folder``."""
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text(encoding="utf-8"))
    names = profile["lotgate"]["outputs"]["spark"]["server_side_parameters"]
    builder = SparkSession.builder.enableHiveSupport().master("local[2]")
    for name, value in names.items():
        builder = builder.config(name, _rendered(value, folder))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _rendered(value: str, folder: Path) -> str:
    import jinja2

    values = {"LOTGATE_SPARK_DIR": str(folder)}
    return jinja2.Template(value).render(env_var=lambda name, default="": values.get(name, default))


def load(work_dir: Path, folder: Path) -> None:
    """Copies snapshot and evidence into Spark; in a process of its own, since Derby admits only one."""
    spark = session(folder)
    for schema in ("legacy", "shipstation"):
        spark.sql(f"create database {schema}")
        for table in read_tables(work_dir / f"{schema}.sqlite"):
            fields = [
                StructField(name, LongType() if is_number else StringType())
                for name, is_number in table.columns
            ]
            frame = spark.createDataFrame([list(row) for row in table.rows], StructType(fields))
            frame.write.format("parquet").saveAsTable(f"{schema}.{table.name}")
            if table.changed:
                print(f"{schema}.{table.name}: {table.changed} values are not copied as they are")


@click.command()
@click.option("--rows", type=int, default=300, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--unit-tests/--no-unit-tests", default=False, show_default=True, help="Some ten minutes more.")
@click.option("--load", "load_from", nargs=2, type=Path, hidden=True)
def main(rows: int, seed: int, unit_tests: bool, load_from: tuple[Path, Path] | None) -> None:
    """Build a generated database on SQLite and on Spark, and compare the two."""
    if load_from:
        load(*load_from)
        return
    if not shutil.which("java") and "JAVA_HOME" not in os.environ:
        sys.exit("No Java here. On Debian: apt-get install openjdk-17-jre-headless")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spark_folder = folder / "spark"
        here = build_with_sqlite(folder, rows, seed)
        command = [sys.executable, __file__, "--load", here.work_dir, spark_folder]
        done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"Spark could not be loaded:\n{done.stderr[-3000:]}")
        environment = {"LOTGATE_SPARK_DIR": str(spark_folder)}
        build = dbt_build("spark", folder, here.controls, environment, unit_tests=unit_tests)
        spark = session(spark_folder)

        def read(table: str, columns: Sequence[str]) -> list[Row]:
            return [
                tuple(row) for row in spark.sql(f"select {', '.join(columns)} from main.{table}").collect()
            ]

        is_good = print_report(
            "Spark", here.seconds, build, compare(here.work_dir / "candidate.sqlite", read)
        )
        spark.stop()
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
