"""The door: five dialects of JSON over one domain, one way to know who is calling, one table of routes."""
