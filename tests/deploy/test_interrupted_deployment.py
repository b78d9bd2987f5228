"""deploy.sh that is cut off, cannot look, or is refused: it stops, says why, and goes on when it is called again."""

import random
from typing import Any

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.deployment import HOST, PROJECT, changes_of, deploy


def test_a_deployment_that_stops_after_each_of_its_changes_goes_on_to_the_same_end(
    cloud: Cloud, finished: dict[str, Any]
) -> None:
    """Each call makes one change more and is cut off at the next; all together make what one call makes, in its order.

    Only what leaves no trace before the change after it is made twice: then a call makes two.
    """
    made: list[list[str]] = []
    most, done = 1, None
    while done is None or done.returncode != 0:
        before = cloud.state
        cloud.forget_calls()
        cloud.cut_power(after=most)
        done = deploy(cloud, *HOST)
        assert done.returncode == 0 or "run deploy.sh again" in done.stderr, done.stderr
        made += changes_of(cloud)[: most if done.returncode else None]
        assert most == 1 or cloud.state != before, "it does not go on"
        most = 2 if cloud.state == before else 1
    once = [list(each) for each in dict.fromkeys(map(tuple, made))]
    assert once == finished["changes"]
    twice = [" ".join(each[1:4]) for each in once if made.count(each) > 1]
    assert twice == ["beta services identity", "builds submit --config=cloudbuild-job.yaml"]
    assert cloud.state == {key: each for key, each in finished.items() if key != "changes"}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_deployment_cut_off_anywhere_is_finished_by_one_more(
    cloud: Cloud, finished: dict[str, Any], late: bool
) -> None:
    chosen = random.Random(f"{late}").sample(range(len(finished["changes"])), 1)
    for after in chosen:
        cloud.write(empty := Cloud.empty(PROJECT))
        cloud.cut_power(after, late)
        assert deploy(cloud, *HOST).returncode == 1
        cloud.restore_power()
        assert cloud.state != empty
        done = deploy(cloud, *HOST)
        assert done.returncode == 0, done.stderr
        assert cloud.state == {key: each for key, each in finished.items() if key != "changes"}, after


@pytest.mark.parametrize("share", range(3))
def test_what_cannot_be_looked_at_stops_the_deployment_before_it_changes_anything(deployed: Cloud, share: int) -> None:
    """Not one look's failure may be taken for a resource that is not there; four of the looks by chance, each time."""
    deploy(deployed, *HOST)
    looks = len(deployed.calls())
    assert looks > 40
    # After the checks, whose failures have words of their own: login, project, billing.
    for number in random.Random(share).sample(range(3, looks), 4):
        deployed.forget_calls()
        deployed.fail_look(number)
        done = deploy(deployed, *HOST)
        assert done.returncode == 1, (number, done.stderr)
        assert "the network is gone" in done.stderr
        assert "run deploy.sh again" in done.stderr
        assert deployed.changes() == [], number


def test_an_identity_that_google_does_not_know_everywhere_yet_is_waited_for(deployed: Cloud) -> None:
    (deployed.bin / "sleep").write_text(f'#!/bin/bash\necho "$1" >>{deployed.folder}/slept\n')
    (deployed.bin / "sleep").chmod(0o755)
    deployed.refuse_once("INVALID_ARGUMENT: Service account new@hkd-reporting.iam does not exist.")
    done = deploy(deployed, *HOST, "pause")
    assert done.returncode == 0, done.stderr
    assert (deployed.folder / "slept").read_text() == "10\n"
    deployed.refuse_once("PERMISSION_DENIED: you may not")
    done = deploy(deployed, *HOST, "resume")
    assert done.returncode == 1
    assert "let your account do that" in done.stderr


@pytest.mark.parametrize(
    ("refusal", "code", "said"),
    [
        ("Service account sheettobigquery-job@hkd-reporting.iam.gserviceaccount.com does not exist.", 0, "not yet"),
        ("Access Denied: you may not grant that", 1, "you may not grant that"),
    ],
)
def test_what_bq_says_is_heard_although_it_says_it_on_standard_output(
    deployed: Cloud, refusal: str, code: int, said: str
) -> None:
    (deployed.bin / "sleep").write_text("#!/bin/bash\n")
    (deployed.bin / "sleep").chmod(0o755)
    state = deployed.state
    state["resources"]["datasets"] = {f"{PROJECT}:sales": {"id": "sales", "access": []}}
    deployed.write(state)
    deployed.refuse_once(refusal)
    # The first change is a grant on the dataset: all else is there.
    done = deploy(deployed, *HOST, "job", f"--datasets={PROJECT}.sales")
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def test_a_role_whose_name_is_still_taken_is_told_with_the_way_out(deployed: Cloud) -> None:
    deployed.refuse_once("FAILED_PRECONDITION: there is an existing role with that role_id in a deleted state.")
    done = deploy(deployed, *HOST, "--role-prefix=another")
    assert done.returncode == 1
    assert "name another --role-prefix" in done.stderr
