# File systems, LUKS and swap. `persistent` is for the safeguard that wants all of it encrypted.
{ config, lib }:
let
  inherit (import ./sorted.nix lib) strings;
  names = builtins.attrNames config.boot.initrd.luks.devices;
  mapped = map (name: "/dev/mapper/${name}") names;
  sayso = lib.attrByPath [ "reconciler" "baseline" "diskEncryption" "alsoEncrypted" ] [ ] config;

  # In memory, of the network, or a view of another file system.
  passing = [
    "9p"
    "autofs"
    "ceph"
    "cifs"
    "devtmpfs"
    "efivarfs"
    "nfs"
    "nfs4"
    "overlay"
    "proc"
    "ramfs"
    "sysfs"
    "tmpfs"
    "virtiofs"
  ];
  isView = fs: builtins.elem "bind" fs.options || builtins.elem "rbind" fs.options;
  remains = fs: !(builtins.elem fs.fsType passing) && !(isView fs);
  encrypted =
    fs:
    remains fs
    && (
      builtins.elem fs.device mapped
      || (fs.encrypted.enable or false)
      || builtins.elem fs.mountPoint sayso
    );
  # One word may hold several, or none, and that of a network file system a password.
  words = fs: builtins.filter (o: o != "") (lib.concatMap (lib.splitString ",") fs.options);
  mount = fs: {
    path = fs.mountPoint;
    type = fs.fsType;
    options = strings (builtins.filter (o: !(lib.hasPrefix "pass" o)) (words fs));
    encrypted = encrypted fs;
  };
  # A swap file is as encrypted as what it lies on: the deepest file system above it.
  above = file: fs: lib.hasPrefix "${lib.removeSuffix "/" fs.mountPoint}/" file;
  deeper = a: b: builtins.stringLength a.mountPoint > builtins.stringLength b.mountPoint;
  onEncrypted =
    file:
    let
      over = builtins.sort deeper (builtins.filter (above file) systems);
    in
    !(lib.hasPrefix "/dev/" file) && over != [ ] && encrypted (builtins.head over);
  byPath = builtins.sort (a: b: a.path < b.path);
  systems = builtins.attrValues config.fileSystems;
in
{
  mounts = byPath (map mount systems);
  persistent = byPath (map mount (builtins.filter remains systems));
  luks = strings names;
  swap = builtins.sort (a: b: a.device < b.device) (
    map (swap: {
      # With a key of its own at each start it is another device that is swapped to.
      device = swap.realDevice;
      encrypted =
        swap.randomEncryption.enable
        || (swap.encrypted.enable or false)
        || builtins.elem swap.device mapped
        || builtins.elem swap.device sayso
        || onEncrypted swap.device;
    }) config.swapDevices
  );
}
