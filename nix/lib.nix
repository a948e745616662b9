# What a fleet's flake calls: from files of the fleet repository to NixOS systems.
#
# Rule 1: No host is built that the fleet repository does not know: hosts/<client>/<host>.yaml must be
#         there, say the same name, and say `kind: nixos`. Nix reads no YAML, so what the .yaml declares
#         is not read here: the .nix is the truth for NixOS, and each is compared with the machine.
# Rule 2: Nothing of the commit gets into a system (no configurationRevision, no self.rev): equal
#         declarations must give equal systems, or a commit that only opens a ring would start a new one.
# Rule 3: Two hosts that would get one attribute are an error, never the last one that was read.
{ nixpkgs }:

let
  inherit (nixpkgs) lib;

  refuse = place: message: throw "${place}: ${message}";

  nameOf = client: host: "${client}-${host}";

  linesOf = file: lib.splitString "\n" (builtins.readFile file);

  # The facts file of a host, proven to be of this host and of NixOS.
  factsOf =
    {
      hosts,
      client,
      host,
    }:
    let
      place = "hosts/${client}/${host}.yaml";
      file = hosts + "/${client}/${host}.yaml";
      # As people write a plain value in YAML: bare or quoted, with a comment behind it.
      says =
        key: value:
        let
          form = "${key}: +[\"']?${lib.escapeRegex value}[\"']?([[:space:]]+#.*)?[[:space:]]*";
        in
        builtins.any (line: builtins.match form line != null) (linesOf file);
    in
    if !builtins.pathExists file then
      refuse place "is missing; a host that the fleet does not know is not built (what is no host lies outside of hosts/)"
    else if !says "id" host then
      refuse place "has no line `id: ${host}`"
    else if !says "kind" "nixos" then
      refuse place "has no line `kind: nixos`; only NixOS hosts have a configuration"
    else
      file;

  identity =
    {
      client,
      host,
      system,
    }:
    { config, ... }:
    {
      networking.hostName = lib.mkDefault host;
      nixpkgs.hostPlatform = lib.mkDefault system;
      services.reconciler = {
        enable = lib.mkDefault true;
        inherit client host;
      };
      assertions = [
        {
          assertion = config.system.configurationRevision == null;
          message = ''
            ${nameOf client host}: system.configurationRevision must stay null: with the commit in it every
            commit makes a new system, and no ring of the fleet ever opens. Releases name the commit.
          '';
        }
      ];
    };

  # One NixOS host of a fleet.
  #
  #   hosts    directory `hosts` of the fleet repository
  #   modules  what every host of this fleet has besides
  mkHost =
    {
      hosts,
      client,
      host,
      system ? "x86_64-linux",
      modules ? [ ],
      specialArgs ? { },
    }:
    let
      facts = factsOf { inherit hosts client host; };
    in
    builtins.seq facts (
      lib.nixosSystem {
        # Null, so that modules decide: see identity.
        system = null;
        inherit specialArgs;
        modules = [
          ./modules
          (identity {
            inherit client host system;
          })
          (hosts + "/${client}/${host}.nix")
        ]
        ++ modules;
      }
    );

  directoriesOf = place: lib.attrNames (lib.filterAttrs (_: type: type == "directory") (builtins.readDir place));

  hostsOf =
    place:
    map (lib.removeSuffix ".nix") (
      lib.filter (lib.hasSuffix ".nix") (
        lib.attrNames (lib.filterAttrs (_: type: type == "regular") (builtins.readDir place))
      )
    );

  # Every hosts/<client>/<host>.nix, as { name, client, host }.
  listHosts =
    hosts:
    lib.concatMap (
      client:
      map (host: {
        name = nameOf client host;
        inherit client host;
      }) (hostsOf (hosts + "/${client}"))
    ) (directoriesOf hosts);

  requireUnique =
    found:
    let
      twice = lib.filter (one: lib.count (other: other.name == one.name) found > 1) found;
      said = map (one: "hosts/${one.client}/${one.host}.nix") twice;
    in
    if twice == [ ] then
      found
    else
      throw "${lib.concatStringsSep " and " said} would both be nixosConfigurations.${(lib.head twice).name}; rename one";

  # nixosConfigurations of a whole fleet: { "<client>-<host>" = system; }.
  mkFleet =
    {
      hosts,
      system ? "x86_64-linux",
      modules ? [ ],
      specialArgs ? { },
    }:
    lib.listToAttrs (
      map (one: {
        inherit (one) name;
        value = mkHost {
          inherit (one) client host;
          inherit
            hosts
            system
            modules
            specialArgs
            ;
        };
      }) (requireUnique (listHosts hosts))
    );

  # An image to install appliances from; it holds no secret and no client's name.
  mkInstaller =
    system:
    (lib.nixosSystem {
      system = null;
      modules = [
        ./installer.nix
        { nixpkgs.hostPlatform = lib.mkDefault system; }
      ];
    }).config.system.build.isoImage;
in
{
  inherit
    mkHost
    mkFleet
    mkInstaller
    ;
  settings = import ./settings.nix { inherit lib; };
  expectations = import ./expectations.nix;
}
