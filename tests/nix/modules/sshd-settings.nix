# Settings that sshd prints in another form than people write them, and some that it does not.
{
  AcceptEnv = [
    "LANG"
    "LC_*"
  ];
  AllowTcpForwarding = "all";
  AllowUsers = [
    "bob"
    "alice@192.0.2.*"
  ];
  CASignatureAlgorithms = "^ssh-ed25519";
  ChallengeResponseAuthentication = false;
  ClientAliveInterval = "10M";
  Compression = "delayed";
  ForceCommand = builtins.toFile "command" "";
  IPQoS = "ef";
  KbdInteractiveAuthentication = null;
  LogLevel = "DEBUG";
  LoginGraceTime = "1h05m";
  MaxAuthTries = 3;
  MaxStartups = 10;
  PermitRootLogin = "prohibit-password";
  PermitTunnel = true;
  PerSourceNetBlockSize = "24";
  PubkeyAcceptedAlgorithms = "+ssh-rsa";
  RekeyLimit = "512M";
  StreamLocalBindMask = "177";
  UnusedConnectionTimeout = "2m";
}
