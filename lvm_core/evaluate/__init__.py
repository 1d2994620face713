"""The honest test: models and decoders on articles they have not seen; guards, measures, intervals, stored results."""
