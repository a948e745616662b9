# What types cannot say. Each message names the option and what to do.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  here = "services.reconciler";
  own = import ./types.nix { inherit lib; };

  given = secrets: lib.filterAttrs (_: secret: secret != null) secrets;

  ofServer = place: server: {
    "${place}.sshKey" = server.sshKey;
    "${place}.tokenFile" = server.tokenFile;
  };

  # Every option that names a secret, by its place.
  secrets = given (
    {
      "evidence.key" = cfg.evidence.key;
    }
    // ofServer "fleet" cfg.fleet
    // lib.optionalAttrs (cfg.evidence.remote != null) (ofServer "evidence.remote" cfg.evidence.remote)
    // lib.optionalAttrs (cfg.evidence.copies != null) {
      "evidence.copies.accessKeyFile" = cfg.evidence.copies.accessKeyFile;
      "evidence.copies.secretKeyFile" = cfg.evidence.copies.secretKeyFile;
    }
    // lib.optionalAttrs (cfg.advise != null) { "advise.key" = cfg.advise.key; }
    // lib.foldl' (all: name: all // channelSecrets name cfg.notify.${name}) { } (lib.attrNames cfg.notify)
  );

  channelSecrets =
    name: channel:
    {
      "notify.${name}.secret" = channel.secret;
      "notify.${name}.token" = channel.token;
    }
    // lib.optionalAttrs (channel.kind == "apprise") { "notify.${name}.url" = channel.url; };

  isCredential = lib.hasPrefix "credential:";
  named = map (lib.removePrefix "credential:") (lib.filter isCredential (lib.attrValues secrets));
  inStore = path: lib.hasPrefix builtins.storeDir (toString path);

  secretsAreKnown = lib.mapAttrsToList (place: secret: {
    assertion = !isCredential secret || cfg.credentials ? ${lib.removePrefix "credential:" secret};
    message = "${here}.${place} names ${secret}, which ${here}.credentials does not have; add it there.";
  }) secrets;

  secretsAreOutside =
    lib.mapAttrsToList (place: secret: {
      assertion = !inStore secret;
      message = "${here}.${place} is in the Nix store, where every user of this machine reads it; name a file outside or a credential.";
    }) secrets
    ++ lib.mapAttrsToList (name: credential: {
      assertion = !inStore credential.source;
      message = "${here}.credentials.${name}.source is in the Nix store, where every user of this machine reads it; put it elsewhere.";
    }) cfg.credentials;

  credentialsAreUsed = lib.mapAttrsToList (name: _: {
    assertion = lib.elem name named;
    message = "${here}.credentials.${name} is passed and nothing names it; use credential:${name}, or remove it.";
  }) cfg.credentials;

  isSsh =
    url:
    lib.hasPrefix "ssh://" url
    || (!lib.hasInfix "://" url && !lib.hasPrefix "/" url && lib.hasInfix ":" url);

  servers =
    { fleet = cfg.fleet; }
    // lib.optionalAttrs (cfg.evidence.remote != null) { "evidence.remote" = cfg.evidence.remote; };

  sshIsComplete = lib.mapAttrsToList (place: server: {
    assertion = !isSsh server.url || (server.sshKey != null && server.knownHosts != null);
    message = "${here}.${place}.url is reached by SSH; set ${here}.${place}.sshKey and .knownHosts.";
  }) servers;

  # What NixOS writes there; it is there without one server, too, and then nothing is ever reached.
  madeKnown = "/etc/ssh/ssh_known_hosts";
  serversAreKnown = lib.mapAttrsToList (place: server: {
    assertion = toString server.knownHosts != madeKnown || config.programs.ssh.knownHosts != { };
    message = "${here}.${place}.knownHosts is what programs.ssh.knownHosts makes, and that names no server; set programs.ssh.knownHosts.<server>.publicKey.";
  }) servers;

  # What each kind of channel needs, and no other kind may have.
  ownOptions = {
    file = [ "directory" ];
    webhook = [
      "url"
      "secret"
    ];
    github = [
      "repository"
      "token"
    ];
    apprise = [ "url" ];
  };
  alsoAllowed = {
    file = [ ];
    webhook = [ "caFile" ];
    github = [
      "api"
      "caFile"
    ];
    apprise = [ ];
  };
  special = [
    "directory"
    "url"
    "secret"
    "token"
    "repository"
    "api"
    "caFile"
  ];

  channelsAreComplete = lib.mapAttrsToList (
    name: channel:
    let
      needed = ownOptions.${channel.kind};
      allowed = needed ++ alsoAllowed.${channel.kind};
      missing = lib.filter (option: channel.${option} == null) needed;
      foreign = lib.filter (option: channel.${option} != null && !lib.elem option allowed) special;
    in
    {
      assertion = missing == [ ] && foreign == [ ] && (channel.kind == "github" || channel.labels == [ ]);
      message = "${here}.notify.${name}: a channel of kind ${channel.kind} needs ${lib.concatStringsSep ", " needed} and has no other kind's options.";
    }
  ) cfg.notify;

  channelsAreNamed = lib.mapAttrsToList (name: _: {
    assertion = builtins.match own.nameForm name != null;
    message = "${here}.notify.${name}: the name of a channel is made of small letters, digits and dashes; a client's escalation uses it.";
  }) cfg.notify;

  # One option for both kinds, and only one of them is shown to everybody.
  addressesFit = lib.mapAttrsToList (name: channel: {
    assertion =
      channel.url == null || lib.hasPrefix "http" channel.url == (channel.kind == "webhook");
    message = "${here}.notify.${name}.url: a webhook has an https address; of apprise it is a path or credential:NAME, since the whole address is a secret.";
  }) cfg.notify;

  # The unit of the daemon writes nowhere else; as root it has no such limit.
  below = place: path: lib.hasPrefix "${place}/" "${path}/" && !lib.hasInfix "/../" "${path}/";
  isWritable = lib.optionals cfg.helper.enable [
    {
      assertion = below "/var/lib/reconciler/state" cfg.state;
      message = "${here}.state must be /var/lib/reconciler/state or below it: nowhere else may the service write its state. Mount another disk there.";
    }
    {
      assertion = below "/var/lib/reconciler/evidence" cfg.evidence.repository;
      message = "${here}.evidence.repository must be below /var/lib/reconciler/evidence: nowhere else may the service write evidence. Mount another disk there.";
    }
  ];

  adviseIsComplete =
    let
      it = cfg.advise;
      azure = it.deployment != null && it.apiVersion != null;
      noAzure = it.deployment == null && it.apiVersion == null;
    in
    lib.optional (it != null) {
      assertion =
        (it.kind == "openai" || it.baseUrl != null)
        && (it.kind == "compatible" || it.key != null)
        && (if it.kind == "azure" then azure else noAzure);
      message = "${here}.advise: azure needs baseUrl, key, deployment and apiVersion; compatible needs baseUrl; openai needs key; only azure has deployment and apiVersion.";
    };

  systemIsReachable =
    let
      it = cfg.system;
    in
    lib.optionals (it != null) [
      {
        assertion = it.evaluate == null || !cfg.helper.enable;
        message = "${here}.system.evaluate: the helper takes only systems that a release names; set ${here}.helper.enable = false (the service then runs as root), or evaluate to null.";
      }
      {
        assertion = it.evaluate != null || (it.caches != [ ] && it.publicKeys != [ ]);
        message = "${here}.system needs caches and publicKeys: a path that no known key signed is never fetched.";
      }
      {
        assertion = builtins.all (cache: builtins.match ".*[?&]trusted(=.*|&.*)?" cache == null) it.caches;
        message = "${here}.system.caches: a cache may not be trusted without a signature (?trusted=); give it publicKeys.";
      }
      {
        assertion = it.watchdogS >= 2 * it.settleS + 180;
        message = "${here}.system.watchdogS must be at least twice settleS and 180 more, or a good system is taken back; set it to ${
          toString (2 * it.settleS + 180)
        } or more.";
      }
      {
        assertion = cfg.fleet.attestations != null || it.evaluate != null;
        message = "${here}.system: releases lie on the attestations branch; set ${here}.fleet.attestations.";
      }
    ];
in
{
  config = lib.mkIf cfg.enable {
    assertions =
      secretsAreKnown
      ++ secretsAreOutside
      ++ credentialsAreUsed
      ++ sshIsComplete
      ++ serversAreKnown
      ++ channelsAreComplete
      ++ channelsAreNamed
      ++ addressesFit
      ++ isWritable
      ++ adviseIsComplete
      ++ systemIsReachable;
  };
}
