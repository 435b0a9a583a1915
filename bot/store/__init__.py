"""The journal and its database.

Others import: `lock.DatabaseLock`, `database.open_journal` and `Binding`, `journal.Run`,
`memory.memory_journal`, `queries`, `books`, `maintenance`. Importing the package alone loads nothing.
"""
