"""Steps as root for a reconciler that does not run as root: one operation a connection.

`wire` is how an operation is written, `message` how either side reads what the other says, `policy`
which ones are taken, `serve` the helper's side and `client` the reconciler's.
"""
