"""What `jarvis check` says of a configuration, beside the transcripts in this directory."""
import re

from lab import takes


def credentials(place, status):
    return dict(re.findall(r"^credentials of (\w+): (.*)$", place.expect(status, "check").out, re.M))


@takes(2)
def test_check_tells_of_credentials_that_are_wanted(place):
    assert {"local", "ssh"} <= credentials(place, 0).keys()
    assert not {"linode", "ec2", "vmware"} & credentials(place, 0).keys()
    place.configure(providers={"linode": {"token_file": "linode.token"}})
    said = place.run("check").text
    assert re.search(r"linode.*linode\.token", said), said
