"""Promises of the wire that the hosted API (here: its fake) and the embedded engine both keep."""
