"""The way out: whatever leaves this machine leaves by here.

addresses  what people or servers give, judged by its form and by the networks that it leads to
door       pictures in and webhooks out, to addresses that others gave
transport  one connection for each exchange, and one deadline for all of it
"""
