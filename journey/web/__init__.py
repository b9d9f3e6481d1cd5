"""Routes beside the pages. All are read-only except `webhooks`: a webhook is a hint that tells the tracker to look.

files    stored pictures and print files      exports      tasks as CSV and JSON
tiles    pieces of pictures                   results_zip  all results of a batch
webhooks what JourneyAPI tells us             way_back     to the page on which a sign-in began
answers  headers, media types, refusals       ends         the moment in which a task ends
static_files Streamlit's scripts and styles, compressed once
troubles a full disk and a database that is away, said in a sentence
xsrf     the proof that an upload is ours, readable behind proxies that rewrite cookies
"""
