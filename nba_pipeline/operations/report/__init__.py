"""The status report: its content as data, and its pages in HTML and Markdown.

Belongs here: what a report says and how it looks. Does not belong here: writing files (``cli/report.py``).
"""
