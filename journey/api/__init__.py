"""The wire of JourneyAPI, as a program meets it.

models   what is sent and what is said back      client  calls, and what each fault proves
answers  what came back, and what it means       errors  what can go wrong with a call
"""
