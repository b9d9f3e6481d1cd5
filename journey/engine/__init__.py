"""The embedded engine: JourneyAPI's wire, and real super-resolution behind it.

server     the routes                      queue       what may be ordered, and the threads that do it
wire       what they take and say          upscaler    picture to tiles to picture
openapi    the same, for other tools       tiles       what a worker does with one tile, tone match included
tasks      the table of tasks              networks/   what enlarges a tile
deliveries webhooks that are owed          pieces      a place of a picture, tried before anything is ordered
embedded   all of it as one object         under_way   the tasks that are worked on at this moment
__main__   all of it as one program
"""
