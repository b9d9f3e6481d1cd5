"""The networks that enlarge, and what runs them.

network    what people choose: files, scale, how far it sees, its tile
recipes    what enlarges one picture: a network, or a blend of two, and what was decided for the whole
finding    the bundled ones and those of a folder, each tried once
bundled    where the files lie              packing    how they got there
backends   what can run a network here: openvino_backend (with its graphs), ncnn_backend (with its files)
running    one network, one tile, in a worker process
"""
