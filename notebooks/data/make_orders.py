"""Make orders.csv and customers.csv anew: invented orders of invented customers, the same ones each time.

Twelve customers who ordered are left out of customers.csv on purpose: that is the defect the quickstart asks about.
"""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent
REGIONS = ("north", "south", "east", "west")


def main() -> None:
    """Write both files beside this one."""
    chance = random.Random(7)
    customers = [(1000 + number, chance.choice(REGIONS), 2015 + chance.randrange(11)) for number in range(120)]
    missing = {row[0] for row in chance.sample(customers, 12)}
    orders = []
    for number in range(360):
        customer_id = chance.choice(customers)[0]
        day = date(2025, 1, 1) + timedelta(days=chance.randrange(365))
        orders.append((50001 + number, customer_id, day.isoformat(), f"{chance.lognormvariate(3.6, 0.7):.2f}"))
    orders.sort(key=lambda row: row[2])
    write("orders.csv", ("order_id", "customer_id", "ordered_on", "total"), orders)
    known = [row for row in customers if row[0] not in missing]
    write("customers.csv", ("customer_id", "region", "since"), known)


def write(name: str, header: tuple[str, ...], rows: list) -> None:
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
