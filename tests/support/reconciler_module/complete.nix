# An appliance that sets every option that ends in a field of reconciler.yaml; what excludes the
# helper is in EVALUATING.
let
  cacheKey = "cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  server = url: {
    inherit url;
    sshKey = "credential:deploy";
    knownHosts = "/etc/ssh/ssh_known_hosts";
    caFile = "/etc/ssl/msp.pem";
    tokenFile = "/run/secrets/token";
    timeoutS = 60;
    maxMebibytes = 64;
  };
in
{
  programs.ssh.knownHosts."git.example.org".publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlvdXItc2VydmVyLWtleS1nb2VzLWhlcmUtLS0tLS0t";
  services.reconciler = {
    enable = true;
    client = "elm-street";
    host = "front-desk";
    state = "/var/lib/reconciler/state/inner";
    intervalS = 60;
    jitterS = 10;
    probeDeadlineS = 15;
    credentials = {
      deploy.source = "/var/lib/reconciler/keys/deploy.cred";
      appliance.source = "/var/lib/reconciler/keys/appliance.cred";
      desk = {
        source = "/run/secrets/desk";
        encrypted = false;
      };
    };
    fleet = server "ssh://git@git.example.org/fleet.git" // {
      branch = "live";
      attestations = "signed";
      signers = "/var/lib/reconciler/trust/people";
      pin = "0123456789012345678901234567890123456789";
    };
    evidence = {
      repository = "/var/lib/reconciler/evidence/ledger.git";
      key = "credential:appliance";
      signers = "/var/lib/reconciler/trust/machines";
      remote = server "ssh://git@evidence.example.org/elm-street.git";
      checkpointEveryS = 1800;
      sealS = 900;
      repack = false;
      witnesses = [
        {
          name = "hub";
          url = "https://hub.example.org/witness";
          key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNsaW5pYy1jYS1vZi10aGUtZXhhbXBsZS1jbGluaWMt";
        }
      ];
      anchors = {
        calendars = [ "https://one.example.org" ];
        minCalendars = 1;
        upgradeFrom = [ "https://two.example.org" ];
        authorities = [
          {
            name = "tsa-one";
            url = "https://tsa.example.org/tsr";
            roots = "/etc/reconciler/tsa.pem";
            intermediates = "/etc/reconciler/between.pem";
            certificate = "/etc/reconciler/signer.pem";
            subject = "CN=TSA One";
            policy = "1.2.3";
          }
        ];
      };
      copies = {
        endpoint = "https://s3.example.org";
        bucket = "clinic-evidence";
        region = "us-east-1";
        prefix = "elm/";
        accessKeyFile = "/run/secrets/s3-id";
        secretKeyFile = "/run/secrets/s3-key";
        caFile = "/etc/ssl/s3.pem";
        years = 7;
      };
    };
    advise = {
      kind = "azure";
      model = "gpt-4.1-mini";
      baseUrl = "https://clinic.openai.azure.com";
      key = "/run/secrets/llm";
      deployment = "mini";
      apiVersion = "2024-10-21";
      caFile = "/etc/ssl/llm.pem";
      promptMicrousdPerMillionTokens = 400000;
      completionMicrousdPerMillionTokens = 1600000;
    };
    notify = {
      drop = {
        kind = "file";
        directory = "/var/lib/reconciler/tickets";
        perHour = 10;
        timeoutS = 5;
      };
      desk = {
        kind = "webhook";
        url = "https://desk.example.org/hook";
        secret = "credential:desk";
        caFile = "/etc/ssl/desk.pem";
      };
      issues = {
        kind = "github";
        repository = "msp/clinic-tickets";
        token = "/run/secrets/github";
        api = "https://github.example.org/api/v3";
        caFile = "/etc/ssl/github.pem";
        labels = [ "clinic" ];
      };
      "true" = {
        kind = "apprise";
        url = "/run/secrets/apprise";
      };
    };
    system = {
      caches = [ "https://cache.example.org" ];
      publicKeys = [ cacheKey ];
      realiseTimeoutS = 1800;
      maxGibibytes = 8;
      watchdogS = 900;
      settleS = 180;
    };
  };
}
