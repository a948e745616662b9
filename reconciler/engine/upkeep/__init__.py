"""What keeps a ledger provable between runs, after each of them, in one order (`keep`).

The log's root is signed (`checkpoints`); witnesses are asked to vouch for it (`witnesses`); it is
anchored in time (`anchors`); what is new is copied to where nobody deletes it (`copies`) and pushed
(`pushing`); loose objects are packed (`packing`). `equipment` is what the settings ask for.

Rule 1: Nothing here stops the appliance or the run: what fails is a value, and is said.
Rule 2: Each part is bounded in time, and none begins once the end was asked for.
Rule 3: Each part has an age (`ages`). One that has not come about for too long is an alarm in every
    run, whatever the reason is.
"""
