"""The lesson's network beside traditional machine learning, measured."""
