"""What a dispatch costs: configs claimed, recorded and published per second (`python -m local.bench.dispatch`).

Beside it, in alternating runs on the same PostgreSQL: procrastinate's `batch_defer` of as many jobs, which is what a
queue in PostgreSQL takes to record them (it has nothing to find out and publishes nothing); and the same dispatch
that publishes one by one, for a thousand. Every run is a process of its own on databases of its own, copied from ones
that were filled and analysed before. The clock runs from open connections (to PostgreSQL and, where it is published,
to Pub/Sub) until all is recorded, published and told; what procrastinate's jobs carry is made before.
It is a benchmark, not a test.

    stage.py         PostgreSQL and the Pub/Sub emulator, databases to copy, messages to count
    fleet.py         a configs table and its ledger, filled
    measured.py      what a program tells of itself
    product.py       the product's dispatch, a program of its own
    one_by_one.py    the same, publishing one by one
    deferring.py     procrastinate, a program of its own
    rounds.py        the alternating runs
    report.py        the table that a person reads, and the history
"""
