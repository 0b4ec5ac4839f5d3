"""Events: what happened in an application, seen as PM2's buckets and as collections; in the order in which they were received."""
