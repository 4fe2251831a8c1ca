"""What a site's alerts came to over a month, counted from the common record by either side.

Belongs here: figures and the entries that each was counted from; their pages and tables.
Does not belong here: keeping or checking the record (edge.record), sending anything.
`count` and what it is made of are pencil and paper: entries and a window in, figures out.
"""
