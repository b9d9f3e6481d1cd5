"""What is kept, and where.

database   transactions, upgrades, the one worker's lock   stored        what lies in `files`, and its addresses
files      pictures: whole or not at all, under keys       keys          secrets made on the first start
uses       who uses a file: asked by every removal         looked        what was looked at, and not yet queued
disk_use   how much room they take                         spreadsheets  rows as CSV
private_folders  work in hand, and whose it is              sign_outs     sign-ins that are over
clean_end  whether a file is as it was left                driver_errors what drivers raise, in our words
migrations/ how the tables came to be what they are
"""
