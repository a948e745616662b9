"""A Linux machine with systemd, or a directory tree of one.

Files, /proc, netlink and D-Bus are asked directly; a process starts only where nothing else
answers. One subject a file; `target` puts them together, `sight` and `hands` list who answers what.
"""
