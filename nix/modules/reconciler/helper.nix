# The helper: root, asked for one operation at a time over a socket that one user may open.
#
# Rule 1: It answers the daemon's user alone, one typed operation of a closed set a connection, and finds
#         out by itself which system is trusted here.
# Rule 2: It ends by itself when nobody asks, so the next connection finds the program of the system that
#         runs; an activation, which runs on its behalf, does not restart it.
{ config, lib, ... }:

let
  cfg = config.services.reconciler;
in
{
  config = lib.mkIf (cfg.enable && cfg.helper.enable) {
    systemd.tmpfiles.rules = [ "d /var/lib/reconciler/helper 0700 root root -" ];

    systemd.sockets.reconciler-helper = {
      description = "Socket of the reconciler's helper";
      wantedBy = [ "sockets.target" ];
      socketConfig = {
        ListenStream = "/run/reconciler/helper.sock";
        SocketUser = "root";
        SocketGroup = "reconciler";
        SocketMode = "0660";
        DirectoryMode = "0755";
        Backlog = 32;
        RemoveOnStop = true;
        Accept = false;
      };
    };

    systemd.services.reconciler-helper = {
      description = "Carry out steps as root on behalf of the reconciler";
      requires = [ "reconciler-helper.socket" ];
      after = [ "reconciler-helper.socket" ];
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = import ./acting.nix // {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/reconciler helper --config /etc/reconciler/reconciler.yaml --user reconciler";
        MemoryMax = cfg.helper.memoryMax;
        TasksMax = 256;
      };
    };
  };
}
