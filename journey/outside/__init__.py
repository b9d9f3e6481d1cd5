"""The way out: whatever leaves this machine goes through here.

addresses  those that people or servers give, read as browsers do, and judged by their form and by where they lead
codings    what a body is packed with, undone by its bytes
door       pictures in and webhooks out, at addresses that others gave
expiring   when a signed address ends, by its own words
masking    addresses as they may be told: without what only their owner should see
networks   what is on the public internet, and what is inside some network
pasted     the address in what a person pasted
reduced    addresses of reduced copies, and where the full picture lies
refusals   why an address gave no picture, in sentences
shared     pages that share a picture, and the address of the picture itself
transport  one connection for each exchange, and one deadline for all of it
proxies    those that the environment names, for the API alone
agent      what every request says about who sends it
"""
