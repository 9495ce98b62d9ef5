"""The replay lane: every recorded exchange is read once more, and the reading is compared with an independent one.

Nothing in `corpus`, `expected` and their neighbours imports byollm or a plugin: what they say about a recording is an
opinion formed from the bytes alone, by plain readers and by the vendors' own SDKs.
"""
