"""Building blocks of what is learned. Every module here needs torch (`pip install 'ethogram[learn]'`)."""
