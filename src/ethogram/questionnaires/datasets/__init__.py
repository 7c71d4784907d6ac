"""People's answers from elsewhere: loaders of published data sets, each with its questionnaire. ethogram ships no data."""
