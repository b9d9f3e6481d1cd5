"""What is kept, and where.

database   transactions, upgrades, the one worker's lock   stored        what lies in `files`, and its addresses
files      pictures: whole or not at all, under keys       keys          secrets made on the first start
disk_use   how much room they take                         spreadsheets  rows as CSV
migrations/ how the tables came to be what they are
"""
