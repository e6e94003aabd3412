"""Build, fit, export and check the lesson's 784-128-64-10 network."""
