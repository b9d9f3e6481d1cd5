"""What the hosted API (here its stand-in) and the embedded engine both promise on the wire."""
