"""Measures of samples and of critics."""
