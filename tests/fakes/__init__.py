"""Servers on loopback that play the outside world."""
