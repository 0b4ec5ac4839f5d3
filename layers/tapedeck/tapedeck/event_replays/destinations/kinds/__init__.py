"""The senders: one module a kind of destination."""
