"""The way out: whatever leaves this machine goes through here.

addresses  those that people or servers give, judged by their form and by where they lead
door       pictures in and webhooks out, at addresses that others gave
pasted     the address in what a person pasted
transport  one connection for each exchange, and one deadline for all of it
"""
