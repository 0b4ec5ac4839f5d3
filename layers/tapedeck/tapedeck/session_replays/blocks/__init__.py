"""The cold tier: replays that are finished, packed into immutable blocks of columns, in which a search of a million takes milliseconds.

`format` says what a block looks like, `writing` makes one of documents or of blocks, `reading` plans which ranges of it are read and opens
its columns, `evaluating` answers the language of `search/` with bitmaps. These are pure. `manifest` knows which blocks there are,
`compacting` packs, merges and tidies up, `erasing` rewrites; `gathering` reads the blocks of a search. docs/blocks.md has a worked example.
"""
