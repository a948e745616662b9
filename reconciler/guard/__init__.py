"""What may be done now. Pure: a guard sees an action and a context, and says one word.

A refusal is a value, and it changes nothing: no guard has state of its own. What guards remember
is folded from the ledger (`reconciler.guard.memory`).
"""
