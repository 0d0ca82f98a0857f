"""Is every table of a night in another database what it is in SQLite?

postgres.py SHOP.DB FOLDER: FOLDER has a file TABLE.csv for each table, with a header and NULL as <null>.
"""
import csv
import os
import sqlite3
import sys

database, folder = sys.argv[1:]
shop = sqlite3.connect(database)
tables = [name for (name,) in shop.execute(
    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
differences = 0
rows_seen = 0


def value(text, like):
    if text == '<null>':
        return None
    return type(like)(text) if isinstance(like, (int, float)) else text


def order(row):
    return [(v is not None, str(type(v)), v) for v in row]


for name in tables:
    with open(os.path.join(folder, name + '.csv'), encoding='utf-8', newline='') as file:
        header, *lines = csv.reader(file)
    rows = shop.execute(f'SELECT * FROM "{name}"')
    names = [column[0] for column in rows.description]
    rows = rows.fetchall()
    likes = [next((row[c] for row in rows if row[c] is not None), '') for c in range(len(names))]
    theirs = [tuple(value(text, like) for text, like in zip(line, likes)) for line in lines]
    rows_seen += len(rows)
    if names != header or sorted(rows, key=order) != sorted(theirs, key=order):
        differences += 1
        print(f'{name}: {len(rows)} rows in SQLite, {len(lines)} in {folder}; they differ')
extra = {file[:-4] for file in os.listdir(folder)} - set(tables)
if extra:
    differences += 1
    print(f"only in {folder}:", *sorted(extra))
print(f'{len(tables)} tables, {rows_seen} rows, {differences} differ')
sys.exit(differences > 0)
