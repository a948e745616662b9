# The program, built from this checkout with the Python and the libraries of nixpkgs.
#
# Every library that an appliance can be told to use is in it, so that no setting needs another build.
# Nothing is vendored; what nixpkgs has in an older version than pyproject.toml asks for fails the build
# (nixpkgs itself compares what is always needed, and nothing of what is optional).
{
  lib,
  python3Packages,
}:

let
  project = lib.importTOML ../pyproject.toml;

  # What the wheel is made of: a change of a host's file beside it must not make another program.
  sources = lib.fileset.unions [
    ../LICENSE
    ../README.md
    ../pyproject.toml
    ../reconciler
    ../hosts
    ../policies
    ../runbooks
    ../evidence-repo
    ../ci/fleet
    ../ci/rootfs
    ../ci/rootfs.sh
    ../ci/guest-packages.txt
    ../requirements/runtime.txt
  ];

  version = lib.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../reconciler/version.py)
  );
in
python3Packages.buildPythonApplication {
  pname = project.project.name;
  inherit version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = sources;
  };

  build-system = [ python3Packages.hatchling ];

  dependencies = with python3Packages; [
    # base
    click
    cryptography
    # appliance
    pydantic
    pygit2
    pyyaml
    # anchors
    httpx
    opentimestamps
    rfc3161-client
    # worm
    boto3
    # sigstore
    sigstore
    # gate
    bcrypt
    detect-secrets
    # advise
    openai
    # notify
    apprise
    # journal
    cysystemd
    # pdf
    typst
  ];

  pythonImportsCheck = [
    "reconciler"
    "reconciler.cli"
    "reconciler.engine.daemon"
  ];
  # The whole suite needs root, a systemd guest and half an hour (.ci/run). Here: is what was built whole?
  # It runs on what was installed; with `doCheck = false` it would not, whatever doInstallCheck says.
  nativeCheckInputs = [ python3Packages.packaging ];
  checkPhase = ''
    runHook preCheck
    ${python3Packages.python.interpreter} ${./check_versions.py} ${project.project.name}
    work=$(mktemp -d)
    HOME=$work $out/bin/reconciler --version
    HOME=$work $out/bin/reconciler init "$work/msp" --client elm-street --host front-desk
    HOME=$work $out/bin/reconciler check "$work/msp/fleet"
    runHook postCheck
  '';

  meta = {
    inherit (project.project) description;
    license = lib.licenses.asl20;
    mainProgram = "reconciler";
    platforms = lib.platforms.linux;
  };
}
