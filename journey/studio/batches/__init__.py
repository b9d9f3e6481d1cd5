"""Many pictures at once: what was given, a look at each picture, what it would cost, and what became of it.

lists  pasted text and list files -> readings: their lines, each a wanted picture or a sentence that says why not
looks  wanted pictures -> checked sources, a few at a time, in the background
rows   sources, paper and multipliers -> the table that is shown before anything is spent
store  the batches table: queue all at once, send a few at a time, pause, try again
"""
