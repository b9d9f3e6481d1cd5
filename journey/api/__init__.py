"""The JourneyAPI wire, as a client sees it.

models   what we send and what the API says      client  the calls, and what each fault proves
answers  what came back, and what it means       errors  what can go wrong with a call
reading  single fields, however they are written
"""
