"""What a reader of the tables must know: what was not comparable, and what a column means."""

COLD = (
    "Ours also judges storage-encrypted (unknown in the guest), audit-running and audit-rules (not "
    "applicable in a container), evidence-chain and intent-trusted, which no peer can express; it "
    "fetches and verifies the fleet repository and proves the newest entries of its ledger. "
    "`--once` also appends and syncs a signed entry.",
    "No row declares a backup job: asking restic costs every row the same key derivation (400 ms "
    "of CPU and more), which would hide the rest.",
    "daemons' CPU: what PID 1, the bus and the journal used meanwhile. peak: the largest process.",
    "Ansible's sysctls and most probes are commands with `changed_when`, puppet's are `unless`; "
    "what puppet reads from files it reads while it compiles. The firewall and socket rules of "
    "goss, puppet and CFEngine find an undeclared port by a pattern.",
    "Rules about pressure are judged by every row but not compared: load changes their answer.",
    "Not compared: OpenSCAP and Lynis (rules of their own), salt and chef (not in Debian).",
)
RESIDENT = (
    "goss serve keeps results for 1 ms here, so that every question is a new look.",
    "`observe and judge` loaded the desired state once; `whole run` is what the daemon does at "
    "each interval: fetch, hold the commit against its signers, look, plan, append and sync.",
    "CPU is that of the service's control group. peak: of its main process.",
)
