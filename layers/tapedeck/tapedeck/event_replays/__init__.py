"""Event replays: what a query finds in a collection is sent to a destination, once or from then on."""
