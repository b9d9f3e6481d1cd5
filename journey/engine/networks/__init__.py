"""The networks that enlarge, and what runs them.

network        what people choose: files, scale, how far it sees, its tile
finding        the bundled ones and those of a folder, each tried once
ncnn_networks  one tile in, one tile out, by ncnn
chains         networks rewritten so that they can be fed strip by strip
"""
