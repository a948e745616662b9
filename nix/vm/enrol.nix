# How the machine of a test is enrolled, as docs/nixos.md says it to people; text of a test script.
# CI's part is done by hand: a key with the role `release`, and a release that names what runs.
''
  machine.wait_for_unit("multi-user.target")
  machine.succeed(
      "reconciler init /root/msp --client elm-street --host front-desk",
      "ssh-keygen -q -t ed25519 -N \"\" -C ci -f /root/ci",
      "cd /root/msp/fleet/policies/trust"
      " && sed -i 's|^# machines:|machines:|; s|^#   - {id: ci,|  - {id: ci,|' policy.yaml"
      " && (printf 'ci@msp.example namespaces=\"reconciler-attestation\" '; cat /root/ci.pub)"
      " >> allowed_signers && git commit -q -a -m 'Let CI release'",
      "system=$(readlink -f /run/current-system)"
      " && nar=$(nix-store --query --hash $system | cut -d: -f2)"
      " && nar=$(nix-hash --type sha256 --to-base16 $nar)"
      " && reconciler attest release --repository /root/msp/fleet --key /root/ci"
      " --system elm-street/appliance=$system.drv,$system,$nar",
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
