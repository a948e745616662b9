# One small NixOS-like system as real derivations: what a closure, a profile and a switch need, built
# without nixpkgs and without a network. The tests of activation run it on a Debian guest.
#
# spec: what tests/support/nixos_systems.py says of the system (no function, no path)
# tools: directory of the machine whose programs `sw/bin` links to, beside those of /usr/bin
{ spec, tools }:
let
  inherit (builtins) attrNames concatStringsSep hasAttr map replaceStrings toFile toJSON;

  # In a directory: by the name of its file it knows that it is all of its commands.
  busybox = "${builtins.path { path = ./tools; name = "busybox-1.35.0"; }}/busybox";

  # Everything is built by one shell whose commands are links to a busybox of the store.
  run = name: variables: script: derivation (variables // {
    inherit name;
    system = "x86_64-linux";
    builder = busybox;
    args = [ "sh" "-euc" ''
      ${busybox} mkdir "$TMPDIR/tools"
      ${busybox} --install -s "$TMPDIR/tools"
      export PATH=$TMPDIR/tools
      umask 022
      ${script}
    '' ];
  });

  lines = concatStringsSep "\n";
  package = name: version: script: run "${name}-${version}" { } ''
    mkdir -p $out/bin
    ${script}
  '';

  # A store path's name may not hold every character that a file's may.
  store = path: text: toFile (replaceStrings [ "@" "/" "\\" ] [ "-" "-" "-" ] path) text;

  etcFile = path: let file = spec.etc.${path}; in ''
    mkdir -p "$(dirname "$out/etc/${path}")"
    ln -s ${store (baseNameOf path) file.text} "$out/etc/${path}"
    ${if file.mode == "symlink" then "" else ''
      echo ${file.mode} > "$out/etc/${path}.mode"
      echo ${file.user} > "$out/etc/${path}.uid"
      echo ${file.group} > "$out/etc/${path}.gid"
    ''}
  '';

  unitFile = name: ''
    mkdir -p "$(dirname "$out/${name}")"
    ln -s ${store (baseNameOf name) spec.units.${name}} "$out/${name}"
  '';
  want = target: unit: ''
    mkdir -p "$out/${target}"
    ln -s ../${unit} "$out/${target}/${unit}"
  '';

  units = run "system-units" { } ''
    mkdir $out
    ${lines (map unitFile (attrNames spec.units))}
    ${lines (map (target: lines (map (want target) spec.wants.${target})) (attrNames spec.wants))}
  '';

  etc = run "etc" { } ''
    mkdir -p $out/etc/systemd
    ln -s ${units} $out/etc/systemd/system
    ${lines (map etcFile (attrNames spec.etc))}
  '';

  kernel = package "linux" spec.kernel "echo kernel ${spec.kernel} > $out/bzImage";
  initrd = package "initrd-linux" spec.kernel "echo initrd ${spec.kernel} > $out/initrd";
  modules = package "linux-modules" spec.kernel "mkdir -p $out/lib/modules/${spec.kernel}";

  script = name: file: package name "1" ''
    sed "s,@tools@,${tools},g" ${file} > $out/bin/${name}
    chmod 0755 $out/bin/${name}
  '';
  bootctl = script "bootctl" ./bootctl.py;
  program = name: package name spec.packages.${name} ''
    printf '#!/bin/sh\necho ${name} ${spec.packages.${name}}\n' > $out/bin/${name}
    chmod 0755 $out/bin/${name}
  '';

  sw = run "system-path" { } ''
    mkdir -p $out/bin
    for name in nix nix-build nix-collect-garbage nix-copy-closure nix-env nix-hash \
      nix-instantiate nix-store; do ln -s ${tools}/$name $out/bin/$name; done
    for name in git journalctl loginctl python3 sh ssh-keygen systemctl systemd-analyze systemd-run; do
      ln -s /usr/bin/$name $out/bin/$name
    done
    ln -s ${bootctl}/bin/bootctl $out/bin/bootctl
    ${lines (map (name: "ln -s ${program name}/bin/${name} $out/bin/${name}") (attrNames spec.packages))}
  '';

  # The expectations document names the system that it is in.
  documents = lines (map (name: ''
    sed "s,@out@,$out,g" ${toFile name (toJSON spec.documents.${name})} > $out/reconciler/${name}
  '') (attrNames spec.documents));

  toplevel = run "nixos-system-${spec.host}-${spec.label}" { } ''
    ${if spec.fails == "build" then "echo 'nothing can be built' >&2; exit 1" else ""}
    mkdir -p $out/bin $out/reconciler
    ln -s ${etc}/etc $out/etc
    ln -s ${sw} $out/sw
    ln -s ${kernel}/bzImage $out/kernel
    ln -s ${initrd}/initrd $out/initrd
    ln -s ${modules} $out/kernel-modules
    ln -s ${toFile "users-groups.json" (toJSON spec.users)} $out/users-groups.json
    ln -s ${toFile "wrappers.json" (toJSON spec.wrappers)} $out/wrappers.json
    printf '%s' '${spec.label}' > $out/nixos-version
    printf '%s' x86_64-linux > $out/system
    printf '%s' '${concatStringsSep " " spec.params}' > $out/kernel-params
    printf '%s' '${spec.fails}' > $out/fails
    echo systemd 2 > $out/init-interface-version
    sed "s,@out@,$out,g" ${./init.sh} > $out/init
    sed "s,@out@,$out,g" ${./activate.py} > $out/activate
    sed "s,@out@,$out,g" ${./install_boot_loader.py} > $out/install-boot-loader
    sed "s,@out@,$out,g" ${./switch_to_configuration.py} > $out/bin/switch-to-configuration
    sed "s,@out@,$out,g" ${./wrappers.py} > $out/bin/make-wrappers
    chmod 0755 $out/init $out/activate $out/install-boot-loader $out/bin/*
    ${documents}
  '';
in
toplevel
