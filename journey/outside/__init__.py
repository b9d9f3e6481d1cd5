"""The way out: whatever leaves this machine goes through here.

addresses  those that people or servers give, judged by their form and by where they lead
door       pictures in and webhooks out, at addresses that others gave
transport  one connection for each exchange, and one deadline for all of it
proxies    those that the environment names, for the API alone
agent      what every request says about who sends it
codings    what a server did to a body, undone within a limit
expiring   when a signed address ends, by its own words
"""
