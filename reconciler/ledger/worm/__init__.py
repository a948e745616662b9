"""Copies of evidence that nobody can delete: S3 with Object Lock in compliance mode.

boto3 (extra ``worm``) does the talking; it is imported when the first request is sent.
"""
