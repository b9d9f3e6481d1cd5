"""The embedded engine: JourneyAPI's wire, and real super-resolution behind it.

server     the routes                      queue       what may be ordered, and the thread that does it
wire       what they take and say          upscaler    picture to tiles to network to picture
openapi    the same, for other tools       networks/   what enlarges a tile
tasks      the table of tasks              deliveries  webhooks that are owed
embedded   all of it as one object         __main__    all of it as one program
"""
