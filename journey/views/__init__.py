"""What pages say and show, without Streamlit: sentences, tables, and the addresses that lead to them.

words       numbers, states and sentences       links       addresses of pages, and what `again`, `task` and `id` mean
pictures    thumbnails and previews             listing     History's list, and its address
facts       everything about one task           comparison  Compare's view, and its address
plans       print plans, verdicts, tables       planner     Print size's inputs, and their address
upscaling   the form of Upscale                 batches     the table and the progress of a batch
spending    months, bars, budgets               notices     tasks that have ended
"""
