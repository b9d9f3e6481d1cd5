"""The JourneyAPI wire, as a client sees it.

models     what we send and what the API says      client  the calls, and what each fault proves
arguments  what callers give, judged first         errors  what can go wrong with a call
answers    what came back, and what it means       reading single fields, however they are written
"""
