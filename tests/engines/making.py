"""The same rows in every engine: an Arrow table in a Parquet file, opened as each engine opens one."""

from __future__ import annotations

import itertools
import os
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_NUMBERS = itertools.count()


def polars(path: Path):
    import polars as pl

    return pl.scan_parquet(path)


@cache
def _duckdb():
    import duckdb

    return duckdb.connect()


def duckdb(path: Path):
    return _duckdb().read_parquet(str(path))


def dask(path: Path):
    import dask.dataframe as dd

    return dd.read_parquet(path, split_row_groups=True)


@cache
def _ibis():
    import ibis

    return ibis.duckdb.connect()


def ibis(path: Path):
    return _ibis().read_parquet(path, table_name=f"t{next(_NUMBERS)}")


def modin(path: Path):
    os.environ["MODIN_ENGINE"] = "python"  # before Modin looks for one that starts processes
    import modin.pandas as md

    return md.DataFrame(pq.read_table(path).to_pandas(types_mapper=None))


@cache
def _spark():
    from pyspark.sql import SparkSession

    options = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    options = options.config("spark.sql.shuffle.partitions", "2").config("spark.driver.host", "127.0.0.1")
    return options.config("spark.driver.bindAddress", "127.0.0.1").config("spark.log.level", "ERROR").getOrCreate()


def spark(path: Path):
    return _spark().read.parquet(str(path))


@cache
def _connected():
    from pyspark.sql import SparkSession

    options = SparkSession.builder.remote("local[2]").config("spark.driver.host", "127.0.0.1")
    options = options.config("spark.sql.shuffle.partitions", "2").config("spark.ui.enabled", "false")
    return options.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()


def connect(path: Path):
    return _connected().read.parquet(str(path))


# One process can't have Spark both ways, so Spark Connect is run in one of its own.
ALONE = os.environ.get("CODEVF_ENGINE")
MAKERS = {make.__name__: make for make in (polars, duckdb, dask, ibis, modin, spark)} if not ALONE else {ALONE: connect}


def written(folder: Path, table: pa.Table) -> Path:
    """Write a table in several groups of rows, so that engines read it in parts."""
    path = folder / f"t{next(_NUMBERS)}.parquet"
    pq.write_table(table, path, row_group_size=max(1, -(-table.num_rows // 7)))
    return path
