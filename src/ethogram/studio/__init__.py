"""The studio: a web page on which runs are watched, scrubbed through, asked about and branched.

    ethogram studio runs/town

`app` serves it, `safety` guards it, `reading` reads records slice by slice, `timeline` moves all views through time
together, and `views` draws worlds: one small class in one file for a kind of world.
"""
