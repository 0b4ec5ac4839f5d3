"""Captures: a time window over the events of an environment, begun and ended by the clock, sealed when it is over."""
