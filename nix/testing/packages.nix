# Packages that have a name, a version and a path, and that nobody can build; and the few builders
# that write a text. A package that is not here is an error.
{
  lib,
  system ? "x86_64-linux",
}:
let
  stdenv.hostPlatform = {
    inherit system;
    isLinux = true;
    isx86_64 = system == "x86_64-linux";
  };
  # A path as the store would make one; "e" is not in its alphabet.
  hash =
    text:
    builtins.substring 0 32 (builtins.replaceStrings [ "e" ] [ "z" ] (builtins.hashString "sha256" text));
  fake =
    pname: version: more:
    let
      name = "${pname}-${version}";
      package = {
        type = "derivation";
        inherit name pname version system;
        outPath = "${builtins.storeDir}/${hash name}-${name}";
        drvPath = "${builtins.storeDir}/${hash "${name}.drv"}-${name}.drv";
        outputs = [ "out" ];
        out = package;
        meta = {
          mainProgram = pname;
        };
      }
      // more;
    in
    package;
  licensed =
    pname: version: ids:
    fake pname version {
      meta = {
        mainProgram = pname;
        license = map (spdxId: { inherit spdxId; }) ids;
      };
    };

  # The sandbox of the tests has one program: a shell with the usual tools.
  build =
    name: env: script:
    derivation (
      env
      // {
        inherit name system;
        builder = "/bin/sh";
        args = [
          "-c"
          script
        ];
        passAsFile = builtins.attrNames (lib.filterAttrs (n: _: n == "text") env);
      }
    );
  writeText = name: text: build name { inherit text; } ''cat "$textPath" > $out'';

  packages =
    builtins.mapAttrs (pname: version: fake pname version { }) {
      audit = "4.1.4";
      chrony = "4.8";
      clamav = "1.5.2";
      cryptsetup = "2.8.4";
      git = "2.54.0";
      linux-pam = "1.7.1";
      nix = "2.34.8";
      nixfmt = "1.2.0";
      nixfmt-tree = "2.3.0";
      parted = "3.6";
      nftables = "1.1.6";
      openssh = "10.3p1";
      python3 = "3.13.12";
      sbctl = "0.18";
      sudo = "1.9.17p2";
      systemd = "260.1";
      usbguard = "1.1.4";
      util-linux = "2.42";
    }
    // {
      bash = licensed "bash" "5.3p9" [ "GPL-3.0-or-later" ] // {
        shellPath = "/bin/bash";
      };
      restic = licensed "restic" "0.18.1" [ "BSD-2-Clause" ];
      wireguard-tools = licensed "wireguard-tools" "1.0.20250521" [ "GPL-2.0-only" ];
    };
in
packages
// {
  inherit lib writeText;
  hostPlatform = stdenv.hostPlatform;
  inherit stdenv;
  pam = packages.linux-pam;
  # What the release builds out of the kernel.
  machine = {
    initrd = fake "initrd-linux" "6.18.30" { };
    modules = fake "kernel-modules" "6.18.30" { };
  };
  linuxPackages.kernel = fake "linux" "6.18.30" { modDirVersion = "6.18.30"; };
  runCommand = build;
  writeShellScript = name: text: writeText name "#!${packages.bash}/bin/bash\n${text}";
  writeShellScriptBin = name: text: writeText name "#!${packages.bash}/bin/bash\n${text}";
  # Of this project's own package, and of what it is built and tested with.
  callPackage = _: _: fake "reconciler" "0.1.0" { };
  mkShell = _: fake "shell" "1" { };
  testers.runNixOSTest = _: fake "vm-test" "1" { };
  formats.json = _: {
    type = lib.types.anything;
    generate = name: value: writeText name (builtins.toJSON value);
  };
}
