"""What people do here, a file a noun: each goes the way everything goes, by a message or by the ledger's own change."""
