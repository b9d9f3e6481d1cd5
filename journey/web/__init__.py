"""Routes beside the pages. All of them are read-only but `webhooks`, which is a hint and changes nothing by itself.

files    stored pictures and print files      exports      tasks as CSV and JSON
tiles    pieces of pictures                   results_zip  all results of a batch
webhooks what JourneyAPI tells us             way_back     to the page on which a sign-in was begun
answers  headers, media types, refusals
"""
