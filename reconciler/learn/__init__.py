"""What evidence teaches: which choices keep succeeding, and which rules stopped to.

Pure: entries in, statistics and proposals out. Nothing here changes anything; a person signs what
is proposed, or does not.
"""
