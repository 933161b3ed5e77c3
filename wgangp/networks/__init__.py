"""The paper's networks, by data."""
