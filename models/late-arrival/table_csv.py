"""The training table as base R reads it: python table_csv.py TABLE.parquet OUT.csv ROWS."""

import sys

import late_arrival


def main(table_path: str, out: str, rows: int) -> None:
    table = late_arrival.read_table(table_path)
    first = table.rows.iloc[:rows]
    times = first["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    first.assign(time=times)[["user", "time", "late", *table.inputs]].to_csv(out, index=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
