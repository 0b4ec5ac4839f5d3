"""`tapedeck`, the command-line tool: run the whole system on this machine, fill it, look at what it recorded."""
