"""What an engineer writes who has `nix path-info` and an afternoon: SPDX of a closure.

Run by itself: ``python -I sbom_peer.py STORE_PATH OUTPUT``, with `nix` in the path.
"""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path


def main(system: str, output: str) -> None:
    """Ask Nix for the closure, and write everything at once."""
    asked = ("nix", "path-info", "--json", "--json-format", "1", "--recursive", system)
    said = subprocess.run(asked, check=True, capture_output=True).stdout
    infos = json.loads(said)
    packages, relationships = [], [("SPDXRef-DOCUMENT", "DESCRIBES", spdx_id(system))]
    for path, info in sorted(infos.items()):
        name, version = re.fullmatch(r"(.*?)(?:-([^A-Za-z].*))?", path[44:]).groups()
        digest = base64.b64decode(info["narHash"].removeprefix("sha256-")).hex()
        packages.append(
            {
                "SPDXID": spdx_id(path),
                "name": name,
                "versionInfo": version or "",
                "packageFileName": path,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False,
                "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
            }
        )
        others = (other for other in info["references"] if other != path)
        relationships += [(spdx_id(path), "DEPENDS_ON", spdx_id(other)) for other in others]
    names = ("spdxElementId", "relationshipType", "relatedSpdxElement")
    document = {
        "spdxVersion": "SPDX-2.3",
        "packages": packages,
        "relationships": [dict(zip(names, one, strict=True)) for one in relationships],
    }
    Path(output).write_text(json.dumps(document, indent=1))


def spdx_id(path: str) -> str:
    """The id of a store path in the document."""
    return f"SPDXRef-{path[11:43]}"


if __name__ == "__main__":
    main(*sys.argv[1:])
