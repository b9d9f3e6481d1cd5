"""What the hosted API (here a fake of it) and the embedded engine both promise on the wire."""
