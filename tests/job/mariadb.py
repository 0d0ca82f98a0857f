"""Every published table of a MariaDB database as FOLDER/TABLE.csv, with a header and NULL as <null>.

mariadb.py SOCKET DATABASE FOLDER
"""
import csv
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

socket, database, folder = sys.argv[1:]


def ask(*statements):
    """Rows of each statement, as lists of (column, value)."""
    out = subprocess.run(['mariadb', '--no-defaults', '-S', socket, '-u', 'root', '--xml', database,
                          '--default-character-set=utf8mb4', '-e', ';'.join(statements)],
                         check=True, stdout=subprocess.PIPE).stdout.decode('utf-8')
    nil = '{http://www.w3.org/2001/XMLSchema-instance}nil'
    for answer in out.split('<?xml version="1.0"?>')[1:]:
        yield [[(field.get('name'), None if field.get(nil) else field.text or '') for field in row]
               for row in xml.fromstring(answer)]


columns = {}
for (_, table), (_, column) in next(ask(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = database() AND table_name NOT LIKE '%\\_\\_%'"
        " ORDER BY table_name, ordinal_position")):
    columns.setdefault(table, []).append(column)
os.mkdir(folder)
for table, rows in zip(columns, ask(*[f'SELECT * FROM `{table}`' for table in columns])):
    with open(os.path.join(folder, table + '.csv'), 'w', encoding='utf-8', newline='') as file:
        lines = csv.writer(file)
        lines.writerow(columns[table])
        lines.writerows(['<null>' if value is None else value for _, value in row] for row in rows)
