# A host with the real library and the real modules of NixOS, and packages that are only names.
#
# Checkouts of nixpkgs are no part of the project; whoever has some names them (see
# tests/nix/test_real_nixpkgs.py). `words` is a file with one word a line: every word that the modules
# use may be the name of a package, so nothing is missing and nothing of nixpkgs is listed here.
{
  lib,
  tree,
  words,
  modules,
}:
let
  fake =
    name:
    let
      package = {
        type = "derivation";
        inherit name;
        pname = name;
        version = "1.0";
        outPath = "${builtins.storeDir}/00000000000000000000000000000000-${name}";
        drvPath = "${builtins.storeDir}/00000000000000000000000000000000-${name}.drv";
        outputs = [ "out" ];
        outputName = "out";
        meta = { };
        passthru = { };
        override = _: package;
        overrideAttrs = _: package;
        withPackages = _: package;
      }
      // lib.genAttrs [
        "bin"
        "dev"
        "doc"
        "kbd"
        "lib"
        "libc"
        "man"
        "out"
        "util-linux"
      ] (_: package);
    in
    package;

  named = name: _: fake name;
  withText = name: text: fake name // { inherit text; };
  built = arguments: fake (arguments.name or "built");
  format = _: {
    type = lib.types.attrs;
    generate = named;
  };

  platform = lib.systems.elaborate "x86_64-linux" // {
    # Gone from newer libraries, asked for by older modules.
    linux-kernel.target = "bzImage";
  };
  stdenv = platform // {
    hostPlatform = platform;
    buildPlatform = platform;
    targetPlatform = platform;
    cc = fake "cc";
    shell = "/bin/sh";
    mkDerivation = built;
  };

  yes = _: true;
  kernel = fake "linux" // {
    version = "6.12.0";
    modDirVersion = "6.12.0";
    target = "bzImage";
    features.efiBootStub = true;
    config = {
      isYes = yes;
      isEnabled = yes;
    };
    kernelAtLeast = yes;
    kernelOlder = _: false;
  };
  linuxPackages = {
    inherit kernel;
    extend = _: linuxPackages;
  };

  builders = {
    callPackage = _: _: fake "called";
    runCommand =
      name: _: _:
      fake name;
    runCommandLocal =
      name: _: _:
      fake name;
    runCommandCC =
      name: _: _:
      fake name;
    writeText = withText;
    writeShellScript = withText;
    writeScript = named;
    writeScriptBin = named;
    writeShellScriptBin = named;
    writeTextDir = path: _: fake (baseNameOf path);
    writeTextFile = arguments: fake arguments.name // { inherit (arguments) text; };
    writeShellApplication = built;
    buildEnv = built;
    symlinkJoin = built;
    aggregateModules = _: fake "modules";
    closureInfo = built;
    concatText = named;
    makeDBusConf = _: fake "dbus-conf";
    linkFarm = named;
    makeInitrd = built;
    makeInitrdNG = built;
    makeModulesClosure = _: fake "modules";
    replaceVars = _: _: fake "replaced";
    replaceVarsWith = _: fake "replaced";
    substituteAll = _: fake "replaced";
    makeSetupHook = _: _: fake "hook";
    inherit (lib) getBin getExe getLib;
    linuxPackagesFor = _: linuxPackages;
  };

  systemd =
    fake "systemd"
    // lib.genAttrs [
      "withBootloader"
      "withCoredump"
      "withCryptsetup"
      "withEfi"
      "withHostnamed"
      "withImportd"
      "withLocaled"
      "withLogind"
      "withMachined"
      "withNetworkd"
      "withPortabled"
      "withRepart"
      "withResolved"
      "withSysupdate"
      "withTimedated"
      "withTimesyncd"
      "withTpm2Tss"
      "withUtmp"
    ] yes
    // {
      interfaceVersion = 2;
    };

  known = builders // {
    inherit
      kernel
      lib
      linuxPackages
      stdenv
      systemd
      ;
    stdenvNoCC = stdenv;
    hostPlatform = platform;
    targetPlatform = platform;
    buildPackages = pkgs;
    pkgsStatic = pkgs;
    pkgsi686Linux = pkgs;
    libxcrypt = fake "libxcrypt" // {
      enabledCryptSchemeIds = [ "y" ];
    };
    # Sets of packages.
    gst_all_1 = pkgs;
    perlPackages = pkgs;
    python3Packages = pkgs;
    unixtools = pkgs;
    xorg = pkgs;
    path = tree;
    config = { };
    overlays = [ ];
    formats =
      lib.genAttrs [
        "hocon"
        "ini"
        "iniWithGlobalSection"
        "json"
        "keyValue"
        "toml"
        "xml"
        "yaml"
      ] (_: format)
      // {
        systemd = format { };
      };
  };

  asked = builtins.filter (word: word != "") (lib.splitString "\n" (builtins.readFile words));
  pkgs = lib.genAttrs asked fake // known;
in
lib.evalModules {
  class = "nixos";
  specialArgs.modulesPath = "${tree}/nixos/modules";
  modules = import "${tree}/nixos/modules/module-list.nix" ++ [
    {
      _module.args = {
        pkgs = lib.mkForce pkgs;
        baseModules = [ ];
        extraModules = [ ];
      };
      nixpkgs.hostPlatform = "x86_64-linux";
      # What builds manuals and programs of its own from packages that are only names.
      documentation.enable = false;
      environment.stub-ld.enable = false;
    }
  ]
  ++ modules;
}
