# The helper: root, asked for one operation at a time over a socket that one user may open.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
  hardening = import ./hardening.nix;
in
{
  config = lib.mkIf (cfg.enable && cfg.helper.enable) {
    systemd.sockets.reconciler-helper = {
      description = "Socket of the reconciler's helper";
      wantedBy = [ "sockets.target" ];
      socketConfig = {
        ListenStream = "/run/reconciler/helper.sock";
        SocketUser = "root";
        SocketGroup = "reconciler";
        SocketMode = "0660";
        DirectoryMode = "0755";
        Accept = false;
      };
    };

    systemd.services.reconciler-helper = {
      description = "Carry out steps as root on behalf of the reconciler";
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = hardening // {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/reconciler helper --config /etc/reconciler/reconciler.yaml";
        MemoryMax = cfg.helper.memoryMax;
        TasksMax = 256;
      };
    };
  };
}
