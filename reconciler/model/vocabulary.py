"""Words that evidence may quote, whoever said them: what programs and this one say of machines.

Gathered from the messages of this project and of the programs it asks. Given names and family names
are left out, also where they are words (Mark, Page), unless no message gets along without them.
A word that is missing is lost from a reason, never the other way round; add it here in its place.
"""

WORDS = frozenset(
    """
a able abort aborted about above absent absolute accept acceptance accepted accepts access account
accounts acknowledge acknowledged acknowledgement acknowledgements acme acpi across act acted action
action's actions activate activated activating activation activations active acts ad add added
address addressable addresses addressing adds adjtimex admin administrative administrators admins
advert advertised advertises advice advise aes128 aes256 after afterwards again against age aged
ages ago agree ahead algorithm alias aliases align all allocate allocated allocation allow allowed
allowing allowlist allows almost alone along alphanumeric already also altered alternative
alternatives although always ambiguous amd64 amend among amount an anchor anchors and anew annotate
annotates annotation annotations announce announced announcement announces another answer answered
answers anti any anybody anything anywhere ap apache apache2 apart append appliance appliance's
appliances applicable application applied applies apply approval approvals approve approved approver
approvers approves approving apt arch archive archives are aren't argument arguments argv arm64
armored around array arrive arrived as ascii aside ask asked asking asks assert assertion assessment
assign assumed at atomically attempt attempts attest attestation attestations attested attesting
attests attribute attributes audience audit auditctl auditd audited auditing auditor augenrules auid
auth authenticate authenticating authentication authenticationmethods authfail author authored
authorised authorities authority authority's authorization authorize authorized
authorizedkeyscommand authorizedkeysfile authors auto automatic automount aux avahi avail available
avg avoid aware awk azure b32 b64 back backend background backlog backreference backslashreplace
backup backups backwards bad bak bare base base64 baseline baselines bases bash bashrc bcachefs be
became because become becomes been before begin beginning begins begun behind being believed belong
belongs below beside besides better between beyond big bin bind bind9 binding binds bios bitcoin
bitmap bits bitwise blanks blast bless blob block blocked blocks body bool boolean boot booted
boots border borg both bottom bound bounded bounds branch branch's branches breach breadonly break
breaks bridge bright bring brings broke broken brought btc btrfs bucket build
builder building builds built
bundle bundles bus buses busiest busy but by byte byteorder bytes ca cache caches calendar calendars
call callback called calls came can can't canary canceled cancelled cannot canonical capabilities
carried carries carry case cases cat catalogues cause caused causes census central cert certbot
certificate certificates certs cfg cgroup cgroup2 cgroups chain chained chains challenge change
changed changes changing channel channels character characters charset check check's checked
checking checkout checkpoint checkpoint's checkpoints checks checksum checksums child chmod choice
choices choose chose chosen chrony chronyc chronyd ci cipher ciphers claim claiming claims clamav
clamd clamscan class clean cli client client's clientalivecountmax clientaliveinterval clients
clinic clinics clock clocks clone close closed closes closing closure closures cmd cmdline cmnd cmp
code codes collapse collected color column com come comes coming command commands comment commit
commit's commits committed committer committer's compare compared comparisons compensable complete
completed compliance component components compose compressed compression compromise compromised con
condition conf confidence config configuration configure configured conflict conflicting conflicts
connect connected connecting connection consistency constant contacts contain container containerd
containers containing contains content continue continued continuous contradict contradiction
control controller controllers controls cookies cooldown cooling copied copies copy copying core
coredump correct corrupt corrupted corruption cosign cosignature cosignatures cosigned cosigns could
couldn't count counted counter counting counts covering covers cpu cramfs crash create created cred
credential credentials creds critical cron cross crt cryptography cryptsetup csr csv ct ctx cups
cupsd curl current currently curve cut cutting cvd cysystemd d daemon daemon's daemons daily damage
damaged data database dataclass datagram date dated dates datetime day days db dbus deactivating
dead deadlock debian debug decide decided decides decimal decision declarations declare declared
declares declined decrypt deep deeper default defaults defer deferred definitions degraded delete
deleted deletes delta deltas denied denies deny dependency depends deploy deprecated depth
derivation derived description descriptor design desired despite detail details detect dev device
devices devmajor devminor diag did didn't died diff different differently differs digest digests
digits dir direct direction directives directly directories directory disable disabled disallowed
disclosed disclosure disclosures disconnect disconnected disk disks disprove distance distinct
distrust disturb disturbs div diverged dm dm0 dmesg dmi dns dnsmasq do docker dockerd docs doctype
document documentation documented does doesn't dollar domain don't done dot dots dotted double down
downgrade download downloading downwards dpkg dport drawn drift driven driver drop dropped drove drv
dry dsa dsse due dump dumped dumps duplicate during e each earlier early easy ec ecdsa echo ed25519
edit edited effect effects efi egid eight either elevation else else's elsewhere email emergency
empty en enable enabled encoding encountered encrypt encrypted end ended ending endless endpoint
ends enforce enforced engaged engine engineer engineers enough enroll enrolled ensure entries entry
entry's envelope envelopes environment eof equal equals equiv equivocation erofs error errorcode
errors escalated escape escapes established esterror etc etcd eth0 eu euid evaluate evaluating
evaluation even event events ever every everywhere everybody everything evidence exact exactly
examined example examples exceeded exceeds except excepted exception exceptions exchange exchanges
exclude exclusive exclusively excuse excuses exe exec exempt exist existing exists exit exited
expect expectations expected expecting expects expire expired expires expiring expiry explain export
expression ext3 ext4 extend extended extends extension external extra f factor factors facts fail
fail2ban failed failing faillock fails failure failures fake fallen falling falls false falsetickers
family fan far farther fast faster fastest fat32 fatal fault faults fd fdinfo feature features fell
fetch fetched fetching few fewer fi field fields fight file file's filemode filename files
filesystem filesystems filetype fill filter filters final find finding findings fingerprint
fingerprints finish finished firewall firewalld firmware first fit fits five fix fixed fixes flags
flake flatpak flatten fleet flew floats flood flush folded folder folders follow followed following
follows footer for forbid forbidden force forced foresee forgave forged forgery forget forgets
forgetting forgot forgotten fork forked form format formed forward found four fourteen fragment
framework frameworks free freedesktop freeze freq fresh freshclam freshness from frontier froze
frozen frsize fs fsck fsgid fstype fsuid fsync ftl full fuller fully further future g gap gaps
garbled gate gateway gave ge generate generated generation generations genesis get gets getting gib
gid git gitattributes github githubusercontent give given gives giving glob global go goes going
gone good gpg gpgsig gpgsign graph graphs greater greeting grep grew group groups grow growing grown
grows grub gs guard guarded guards guide gz h had half halt hand handle handler handshake hangs
hangup happen happened hardening hardware has hash hashed hashes hasn't have haven't head header
headers heading heads heal healed health healthy heap hear heard heart heartbeat heartbeats height
heights held hello help helper helper's here heuristic hex hexadecimal hid hidden hide high higher
highest hint hipaa histories history hit hold holder holding holds hole home homes honest hook hooks
host host's hostbased hostkey hostkeys hostname hosts hour hourly hours how however howto hr href
html http httpd https httpx hub hub's hundred hung hyphens i i386 icmp icmpv id identifier identify
identities identity idle ids if ignore ignored ignores ignoring illegal image img immediate
implemented import impossible impure in inaccessible inactive inbound incident include included
includedir includes inclusion incoming incomplete increase increased increases indent independent
index indexes indirect inet inf infinite infinity inflate info ini init initial initrd inline inner
inode inodes input inputs ins insert inside install installed installing instant instead int integer
integers integration intent intents interactive interface interfaces intermediates internal
interrupted interval into intoto intrinsic invalid invalidated invisible invocations io ip ip4 ip6
ip6tables iptables ipv ipv4 ipv6 is isn't iso iso9660 issued issuer it it's item items its itself
job job's jobs jobtype journal journalctl journald json judge judged judging jumped just k
kbdinteractiveauthentication keep keeping keeps kept kernel kernel's kexalgorithms key key's
keyboard keygen keyholder keyid keys keyscan keyword kib kill killed kills kind kind's kinds kit
knew know known knows kptr kubelet label lacks large larger largest last lasts late lately later
latest law layout le lead leads least leave leaves ledger ledger's ledgers left legacy length less
let lets letters lev level levels lib lib64 libgit library libssh licence licences lie lies life
lift like likely limit limitation limitations limited line line's linear lines link linked links
linux list listed listen listening listing lists literal little live lived lives living lo load
loaded loader loaders loadfailed loading loc local localhost location locations lock lock's locked
locks log log's logged logging login login1 logind loginuid loglevel logs lone long longer longest
look looked looking looks lookup loop loopback loses losing lost low lower lowers lowest lpt ls
lsblk luks lv lvm m machine machine's machines macs made magic mail main maintenance make makes
makestep making malformed malware manager manifest manual many map mapper mapping mappings margin
mariadb mark markdown marker marks mask masked match matches matter max maxerror maximum may md md5
mdadm mean meaning means meant meanwhile media medium meets member members memory mention merely
merge mergetag message met meta metadata method methods mib microseconds might milestones million
milliseconds min miners minimum minute minutes mirror mismatch missed missing mistyped mitigation
mixed mktemp mmap mnt mode model modes modified module modules moment monitoring monospace month
months more most mount mounted mountinfo mounting mounts move moved moves moving ms msec msg msgtype
mtime mtimes much multi multiple multiport must mutable mysql mysqld name named names namespace
namespaces naming nan nar narrow narrower near nearly necessary need needed needing needs negative
neighbor neighbour neither nested net netfilter netlink network networkd never new newer newest
newline newly news next nf nfs4 nft nftables nginx nightly nine nix nixos nixpkgs nmbd no nobody
nobody's node nodename nodes nologin noncompliant none nonsense nopasswd nor normal nosuchunit not
note notes nothing notice notices notify notrack now nowhere ns nscd nspawn ntfs ntp ntpd ntpsec nts
nul null number numbers numeric nvme nvme0n1 obj object objection objections objective objects
obliges observation observations observe observed obsolete octal octet odd of off offered offers
officer offline offset often oid ok old older oldest on once one ones oneshot only onto oom op open
openai opened openntpd opens openssh openssl opentimestamps operand operating operation operational
opt option optional options or order org origin os oscal other others ots our ours out outcome
outcomes outdated output outside outvote over overflow overlay overloaded override overrides
overwritten owed own owned owner owner's owners owning owns p p12 p256 p384 pack package packages
packed packet packets packs pacman padding pager paid pam panic paper parameter parameters params
parent parent's parents parse parsed parser parsing part parted partial partition partitions parts
pass passed passes passing passphrase passwd password passwordauthentication passwords path paths
pattern patterns paused payload pci pdf peeled peer pem pending people per percent period period's
perl perm permission permissions permitemptypasswords permitrootlogin permitted pers persistent
person person's pid piece pin pinned pip pipe pkt place plain plan plan's planned plans platform
please plugins podman point pointer pointing points policies policy popen port ports position
positions possible postfix postgres postgresql postrouting potential ppid pps pragma pre preauth
preceded precheck prechecks precision predecessor predicate preference prefix prefixed prerouting
present pressure previous principal principals print printable printed printf prints priority
private privilege privileges prn probe probes problem problems proc procedure process processes
processor processors profile profiles program programs progress prohibit promise promised promises
promisor promoted promotion promotions proof proofs properties property proposed props protect
protection protocol prove proved proven proves provider provider's proving provision prune pruning
psi pt pub public publishes pull pulled punctuation pure purl purpose push pushed pushes put puts py
pydantic pygit python python3 quarantine quarter query question questions queue queued quiet quite
quorum quota quote quotes rabbitmq radius raid raise raises raising ram ramfs ran random randomize
rang range rarely rarer rate rather raw rb rclone rd re reach reachability reachable reached reaches
reaching read readable reader reading readonly reads real realise realised reapply reason rebase
reboot rebooted
rebuild rebuilt receipt receive receiver recent recently recommended reconcile reconciler record
recorded records recover recovered recoveries recovering recovers recovery recurred recurrences
recursion redirect redis reduce reduced reduces ref refer reference references refers refs refusal
refusals refuse refused refuses refusing region register regular reject rejects rel related release
released releases relevant relinquish reload reloading rem remaining remains remarks remedy
remembered remembers remote remotes remove removed removes removing rename renamed rendering renew
renewal renewed renewing repack repair repeat repeated repeats replace replaced replacement
replacements replaces replacing replay replayed replays reply repo report reported reports
repositories repository repository's repositoryformatversion request requested requests require
required requires reserved reset resolution resolve resolved resolves resolving resource resources
response rest restart restarted restarting restarts restic restore restored restores restoretests
restoring restrict restricted rests result results resume resumed retain retention retired retries
retry retrying returned returning returns rev reverse revert review reviewed reviewer revision
revocation revocations revoke revoked rewound rewrites rewriting rewritten rfc right rights ring
rings rise risen rising risk rlinks role roles rollback rolled rolling rollout romfs room root
rooted rootfs roots roster rotate rotation roughly round rounded route router routes row rows rpm rs
rsa rsa2048 rst rsync rsyslog rsyslogd rule rule's rules ruleset ruling run runas runbook runbook's
runbooks running runs runtime s s3 saas saddr safe said salted samba same sample sandbox sank sarif
sata satisfied save saw say saying sayings says sba sbin sbom scaffold scale scan scheduled schema
schemastore scope score scratch script scripting scrub sda seal sealed sealing seals sec second
seconds secret secrets section sector sectors security sed see seeing seek seen sees segment
segmentation segments seldom selections self sell sen send sender sending sends sense sent sentence
sentences separation seq sequence sequential serial serve server server's servers serves service
services servname ses session sessionid sessions set sets setting settings setuid seven several
severity sftp sgid sh sha sha1 sha256 sha384 sha512 shadow shaken shall shallow shape share shared
shell shook short shortened shorter shortest should show showed showing shown shows shrank shrink
shrinks shutdown side sides sig sight sign signal signature signatures signed signer signers signing
signingkey signs sigstore silence similar since single site six size sizes sk skip skipped slash
slashes slaves slice slim slow slowed slower slowest small smaller smbd snap snapd snapshot
snapshot's snapshots so soak soaked social sock socket sockets soft software sog sold solicit solid
some somebody something sometimes somewhere soon sooner sort sorted sorts sought sound source
sources sp space spaces spare spares spawn speak speaks specification spent spipe split spoke spoken
spool sqlite squashfs src srv ss ssh sshd ssl ssn sssd st stack stage staged staged_rollout stages
stale stamp stamping stamps stand standard standing stands start started starting starts stat state
stated stateless statement statements states static statm status statvfs stay stays stderr stdout
step step's steps still stock stole stolen stood stop stopped stopping stops storage store store's
stored str stray stream street strerror strict string strongest struck stuck style sub subj subject
subjects submodule submodules subprocess subscribe subset substack substituter substituters subtrees
succeed succeeded success such sudo sudoers suffices suffix suid sum summary superblock support
supported surrogate surrogateescape suspected suspended sv svr sw swap swaps swift switch switched
switches swore symbolic symlinks sync synchronised syncookies syntax sys sysctl sysfs system systemd
systemd1 systems tab table tables tag tags tai tail taint tainted take taken takes taking talk
tamper tape tapes tar target targets task taught tcp tcp4 tcp6 telephone tell telling tells temp
templated templates temporarily temporary ten tenth terminated terms test tested testing tests text
textconv texts than that the their them then there therefore these they thief third this those
though thought thousand threading three threshold thresholds threw thrice throttled through thus
tick ticket tickets ticks tier tiers time timed timedate1 timedatectl timeout timer timers times
timestamp timestamps timesyncd tip title tlog tls tmout tmp tmpfiles tmpfs to today together token
tokens told tolerance toml tomorrow too took tool tools top topic torn total toto touch touched
toward towards tpm tpm2 trace traceback tracking traffic trail trailing transaction transfer
transient transparency treat tree trees tried tries trip triple trips trouble true trust trusted
trustedusercakeys trusts try trying ts tsa tsr tuple turn turning turns twice two txt type typed
types typeset typst u ua udevd udf udp udp4 udp6 uefi ufw ui uid uids unable unannounced unavailable
unbound unchanged uncomment undeclared undefined under underscores understood undo undoes undone
unencrypted unequal unexpected unguarded unicode uninstall uniq unit unitexists units unix unknown
unlikely unlisted unlock unmask unmount unmounted unnecessary unobserved unowned unpacking unplanned
unprintable unproven unreachable unrecognized unrecorded unreferenced unresponsive unsafe unset
unsigned unsorted unstored unsupported until untouched untrusted unused unverified unwitnessed up
updater upgrade upkeep upload uploading uptime uptodate uring url urn us usable usage usb use usec
used user users uses using usr usually utf utf16 utf8 uuid v va vacuum valid validate value values
var variable vary vehicle vendor verb verdict verdicts verification verified verifier verifies
verify version versioning versions vertical very vfat vg via viewport visible visit vm vmstat vnd
volatile volume volumes vouch vouched vouchers vouches w wait waited waiting waits walked wall want
wanted wants warning warnings was wasn't watch watchdog way wb we web webauthn week weeks well went
were weren't wget what when where whether which whichever while whitelist who whoever whole whom
whose why wide wider width wildcards will winbind window windows wire with withheld within without
witness witness's witnessed witnesses wlan0 woke woken won't word words wore work workflow workflows
workforce workstation worm worse worst would wound wrap wrapped wrappers writable write writer
writes writing written wrong wrote x x25519 x64 x86 xa xac xae xfs xml xz yaml year years yellow yes
yesterday yet yml you your yours yourself yum yv zero zfs zip zone zram zsh zst zypper
""".split()  # noqa: SIM905 - thousands of words in quotes cannot be read
)
"""Plain words, in lower case."""

NAMES = frozenset(
    """
AccessDenied ActiveEnterTimestamp ActiveState AddMatch ALL allowedSignersFile API APP ASCII
AssertionError AttributeError AUD AuditRules AuditStatus AUTH AuthenticationMethods AuthFailed
AUTHORIZED AuthorizedKeysCommand AuthorizedKeysFile AVC AVL BEGIN BIOS BKP BLOB BrokenPipeError
BusProperty BYTES CA CAP CERTIFICATE CFR CHANGE CHECK CI Ciphers CIS ClientAliveCountMax
ClientAliveInterval ClockState Cmnd Command CONFIG ConnectionError ConnectionRefusedError
ConnectionResetError CPU CPUQuotaPerSecUSec CRC CRL CRYPT CRYPTO CSR CUPS CWD D-Bus DB DBus Debian
DEBUG DeclaredFiles DeclaredPaths DeclaredSysctls DefaultLimitCORE DefaultLimitCORESoft Defaults
DENIED DEPTH DisableUnitFiles Disconnected
DNS DoS DSSE EACCES EADDRINUSE EAGAIN EBUSY ECONNREFUSED ECONNRESET Ed25519 EEXIST EFI EINVAL EIO
EISDIR EMFILE EnableUnitFiles Encrypt ENODEV ENOENT ENOMEM ENOSPC ENOTDIR Entries EOF EOFError
EPERM EPIPE
EROFS Errno ERROR Error ESRCH ETIMEDOUT EVD ExceptionGroup ExecMainStatus EXECVE FAIL FAILED
Failed FailedUnits FALSE FATAL FetchLimits FIFO FILE FileNotFoundError FirewallChains FleetSource
FORMAT GB GC GET GiB Git GitHub gitTree GnuTLS GPG HARD HEAD HTTP HTTPS I ICMP ID IDs ImportError
Include IndexError INF INFO INTEGRITY INTENT InteractiveAuthorizationRequired Internal
InterruptedError InvalidArgs IO IP IPC IPv4 IPv6 IsADirectoryError ISO JobRemoved
JobTypeNotApplicable JournalEvents JSON JSONDecodeError KB kB KbdInteractiveAuthentication
KernelModules KexAlgorithms KEY
KeyError KEYS KiB LANG lastModified Let's LimitsExceeded Linux ListUnitsByNames
ListUnitsByPatterns ListUnitsFiltered LNX LoadedFrom LoadedUnits
LoadFailed LoadState LOG LOGIN LogLevel LUKS
LVM MAC MACs Manager MaskUnitFiles Match MAX MaxRetentionSec MB MemoryError MemoryHigh MESSAGE MiB
ModemManager ModuleNotFoundError NAME NameError NameHasNoOwner NAN NaN NAT NET NetworkManager NFC
NFKC NFS NIST Nix NIXOS NixOS NODES NOPASSWD NoReply NoServer NoSuchJob NoSuchUnit NOT
NotADirectoryError NotImplementedError NTP NUL NULL OCSP OID OK OnlyByDependency OOM OpenSSH
OpenSSL OS OSError OverflowError PackageKit PAM PASSWORD PasswordAuthentication PATCH PATH PDF PEM
PermissionError PermitEmptyPasswords PermitRootLogin PGP PID PIN PKI PLAIN POSIX POST
predicateType PRIV PrivateKey PROCTITLE Properties PSI PUT Python QUIET RAM ReadFile ReadGlob
ReadHeads ReadLimits ReadLink README RealPath RecursionError REJECT ReloadUnit REPOSITORY
ResetFailedUnit
RestartUnit RESTIC RFC RSA Runas RuntimeError S3 SELinux ServiceUnknown SESS SESSION SetuidFiles
SetUnitProperties SHA SHA256 SIGABRT SIGHUP SIGINT SIGKILL SIGPIPE SIGSEGV SIGTERM SILENT SMTP
SOCKADDR Sockets SQL SSD SSH SSHSIG SSL StartUnit StatFilesystem StatPaths STEP StepKind
StopIdleSessionUSec StopIteration StopUnit SubState SyntaxError SYSCTL SYSLOG SystemMaxUse
SystemState TAG TB TCP TiB TIME TimedOut Timeout TimeoutError TLS TMOUT TPM TPM2
TransactionIsDestructive TransactionJobsConflicting TransactionOrderIsCyclic TRUE
TrustedUserCAKeys TryRestartUnit TTL TTY TypeError Ubuntu UDP UEFI UID UIDs UnicodeDecodeError
UnicodeEncodeError UnicodeError UnitExists UnitFileState UnitMasked UnitStatus UnknownInterface
UnknownMethod UnknownName UnknownObject UnknownProperty UnmaskUnitFiles URI URL USB USER UTC UTF
UUID ValueError VERBOSE VERITY VERSION VM WARN WARNING X509 XML YAML ZeroDivisionError
""".split()  # noqa: SIM905 - as above
)
"""Words with capitals, as they are written."""
