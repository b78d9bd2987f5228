"""What a load costs: the job beside the limit and the habitual way, in alternating runs (`make bench`).

The habitual way is the one that most teams have: googleapiclient's `values.get`, a pandas DataFrame, and
`load_table_from_dataframe`. The limit is a sketch that does what every client of Google's libraries has to, and no
more. They are whole processes that read the same generated tab from one server, which answers from memory and
swallows what is loaded, so that what is measured is the client's cost alone. It is a benchmark, not a test: it
passes no judgement and depends on what else the machine does; the ratios of one run are what to look at.

    tab.py        generated tabs: mixed types, blanks, ragged rows
    server.py     Sheets, Drive, BigQuery and token endpoints over one tab, in a process of its own
    uploads.py    BigQuery's load jobs, swallowed
    traffic.py    bytes counted, answers kept for the next run
    limit.py      the limit, a program of its own
    habitual.py   the habitual way, a program of its own
    packages.py   the habitual way's virtual environment
    process.py    one program run to its end, and what it took
    rounds.py     the alternating runs of one tab
    report.py     the table that a person reads, and the history
    surroundings.py  the revision and the machine
    dispatch/     what a dispatch costs, a benchmark of its own
"""
