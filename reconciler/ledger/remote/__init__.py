"""Evidence off the appliance and back: pushed to its repository, resumed from it.

The ledger is the queue: what is not pushed is what lies between the server's tip and ours. Nothing
else has to be remembered, nothing expires, and no disagreement is ever resolved by itself.
"""
