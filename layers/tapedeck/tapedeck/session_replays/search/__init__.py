"""Finding a replay: `language` reads a query, `fields` knows what it may speak of, `evaluating` makes a function of it.

`language` turns text into a tree and knows no field. `fields` is one table, a row a field: its names, its type, where a document keeps
it; with it a term of the tree becomes a checked condition. `evaluating` compiles conditions to closures over documents. `selectors` and
`wildcards` are two small languages inside values. All of these are pure; `planning` alone knows the store: which rows are to be read.
"""
