"""Daily units of the products of the real orders, as long CSV: train.csv to 2011-11-11, from the first
sale on, and test.csv, the 28 days after; products with sales on at least 100 days of train."""
import collections
import csv
import datetime
import lzma
import sys

LAST_TRAIN, LAST = datetime.date(2011, 11, 11), datetime.date(2011, 12, 9)

units = collections.defaultdict(lambda: collections.defaultdict(int))
with lzma.open(sys.argv[1], "rt", encoding="utf-8", errors="replace", newline="") as orders:
    for row in csv.DictReader(orders):
        if int(row["Quantity"]) > 0 and float(row["UnitPrice"]) >= 0:
            day = datetime.date.fromisoformat(row["InvoiceDate"].split()[0])
            units[row["StockCode"]][day] += int(row["Quantity"])

with open("train.csv", "w") as train, open("test.csv", "w") as test:
    for file in train, test:
        file.write("id,date,value\n")
    for product, sold in sorted(units.items()):
        if sum(day <= LAST_TRAIN for day in sold) < 100:
            continue
        day = min(sold)
        while day <= LAST:
            file = train if day <= LAST_TRAIN else test
            file.write(f"{product},{day},{sold.get(day, 0)}\n")
            day += datetime.timedelta(1)
