# How the machine of a test is enrolled, as docs/nixos.md says it to people; text of a test script.
''
  machine.wait_for_unit("multi-user.target")
  machine.succeed(
      "reconciler init /root/msp --client elm-street --host front-desk",
      "git clone -q --bare /root/msp/fleet /srv/fleet.git",
      "chown -R reconciler: /srv/fleet.git",
      "install -m 0644 /root/msp/fleet/policies/trust/allowed_signers /srv/allowed_signers",
      "reconciler init /var/lib/reconciler --client elm-street --host appliance"
      " --fleet /srv/fleet.git --signers /srv/allowed_signers"
      " --pin $(git -C /srv/fleet.git rev-parse main)",
      "chown -R reconciler: /var/lib/reconciler/evidence",
      "systemctl restart reconciler.service",
  )
  machine.wait_for_unit("reconciler.service")
''
