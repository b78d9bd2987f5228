"""What is missing on a machine is told with its remedy, before anything is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.prerequisites import find_chromium, find_emulator_jar, find_java, missing_for_system, sdk_folders

SCRIPT = Path(__file__).resolve().parents[3] / "local" / "prerequisites.py"
JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"


def run(*arguments: str, python: str = "pass", **environ: str) -> subprocess.CompletedProcess[str]:
    """The check as `make` runs it, after `python` has changed the interpreter that it finds itself in."""
    started = f"import runpy, sys; {python}; sys.argv[:] = ['', *{list(arguments)}]"
    command = [sys.executable, "-c", f"{started}; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def sdk(tmp_path: Path) -> Path:
    """A gcloud SDK with the emulator."""
    jar = tmp_path / "sdk" / JAR
    jar.parent.mkdir(parents=True)
    jar.touch()
    return tmp_path / "sdk"


def test_this_machine_has_everything() -> None:
    result = run(PATH="/usr/local/bin:/usr/bin:/bin")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_missing_java_is_told_with_the_package_that_has_it(tmp_path: Path) -> None:
    result = run(PATH=str(tmp_path))
    assert result.returncode == 1
    assert "A Java runtime is missing" in result.stderr
    assert "apt-get install default-jre-headless" in result.stderr


def test_a_missing_setpriv_is_told_with_the_package_that_has_it(tmp_path: Path) -> None:
    result = run(PATH=str(tmp_path))
    assert result.returncode == 1
    assert "setpriv is missing" in result.stderr
    assert "apt-get install util-linux" in result.stderr


def test_a_missing_emulator_is_told_with_both_ways_to_install_it(tmp_path: Path) -> None:
    (told,) = missing_for_system("/usr/bin/java", [tmp_path])
    assert str(tmp_path) in told
    assert "apt-get install google-cloud-cli google-cloud-cli-pubsub-emulator" in told
    assert "gcloud components install pubsub-emulator" in told
    assert "CLOUDSDK_ROOT_DIR" in told


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    assert len(missing_for_system(None, [tmp_path])) == 2


def test_a_python_that_is_too_old_is_told() -> None:
    result = run("--python", python="sys.version_info = (3, 9, 2)")
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr
    assert "is Python 3.9" in result.stderr


def test_a_python_without_venv_is_told_with_the_package_that_has_it() -> None:
    hidden = "import importlib.util; find = importlib.util.find_spec; "
    hidden += "importlib.util.find_spec = lambda name: None if name == 'ensurepip' else find(name)"
    result = run("--python", python=hidden)
    assert result.returncode == 1
    assert "apt-get install python3-venv" in result.stderr


def test_the_sdk_is_found_where_its_root_is_set(sdk: Path) -> None:
    folders = sdk_folders({"CLOUDSDK_ROOT_DIR": str(sdk)})
    assert folders[0] == sdk
    assert find_emulator_jar(folders) == str(sdk / JAR)


def test_the_sdk_is_found_through_a_link_to_gcloud(sdk: Path, tmp_path: Path) -> None:
    gcloud = sdk / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.touch(mode=0o755)
    links = tmp_path / "links"
    links.mkdir()
    (links / "gcloud").symlink_to(gcloud)
    assert sdk_folders({"PATH": str(links)})[0] == sdk


def test_the_java_of_java_home_goes_before_that_of_the_path(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    assert find_java({"JAVA_HOME": str(tmp_path), "PATH": "/usr/bin"}) == str(java)


# Notes what it is told; `install` works once the lists are there.
APT_GET = """#!/bin/sh
echo "$@" >> {folder}/asked
case $1 in
update) {updates} ;;
install)
  if [ -e {folder}/lists ]; then echo '#!/bin/sh' > {folder}/chromium; /bin/chmod +x {folder}/chromium
  else echo 'E: Unable to locate package chromium' >&2; exit 100; fi ;;
esac
"""
ROOT, SOMEBODY = "import os; os.geteuid = lambda: 0", "import os; os.geteuid = lambda: 1000"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The folder of a PATH on which there is an apt-get and nothing else; its lists of packages are empty."""
    write(tmp_path / "apt-get", APT_GET.format(folder=tmp_path, updates=f"echo > {tmp_path}/lists"))
    (tmp_path / "asked").touch()
    return tmp_path


def write(path: Path, script: str) -> None:
    path.write_text(script)
    path.chmod(0o755)


def asked(machine: Path) -> list[str]:
    return [line.split()[0] for line in (machine / "asked").read_text().splitlines()]


def test_root_has_chromium_installed_and_is_told_so_in_one_line(machine: Path) -> None:
    (machine / "lists").touch()
    result = run("--browser", python=ROOT, PATH=str(machine))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("Installing Debian's chromium")
    (line,) = (machine / "asked").read_text().splitlines()
    assert line == "install --no-install-recommends --yes -o DPkg::Lock::Timeout=120 chromium"
    assert find_chromium({"PATH": str(machine)}) == str(machine / "chromium")


def test_the_lists_of_packages_are_asked_for_where_they_are_missing(machine: Path) -> None:
    result = run("--browser", python=ROOT, PATH=str(machine))
    assert (result.returncode, result.stderr) == (0, "")
    assert asked(machine) == ["install", "update", "install"]


def test_a_chromium_that_is_there_is_left_as_it_is(machine: Path) -> None:
    write(machine / "chromium", "#!/bin/sh\n")
    result = run("--browser", python=ROOT, PATH=str(machine))
    assert (result.returncode, result.stdout, result.stderr, asked(machine)) == (0, "", "", [])


def test_who_is_not_root_is_told_the_line_that_installs_it(machine: Path) -> None:
    result = run("--browser", python=SOMEBODY, PATH=str(machine))
    assert (result.returncode, result.stdout, asked(machine)) == (1, "", [])
    assert "Missing: Chromium is missing" in result.stderr
    assert "sudo apt-get install chromium\n" in result.stderr


def test_root_without_apt_is_told_the_line_as_well(tmp_path: Path) -> None:
    result = run("--browser", python=ROOT, PATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert "On Debian: apt-get install chromium\n" in result.stderr


def test_an_install_that_fails_says_what_apt_said(machine: Path) -> None:
    write(machine / "apt-get", APT_GET.format(folder=machine, updates="exit 100"))
    result = run("--browser", python=ROOT, PATH=str(machine))
    assert result.returncode == 1
    assert "apt-get said: E: Unable to locate package chromium" in result.stderr


def test_a_demo_needs_no_browser(tmp_path: Path) -> None:
    assert "hromium" not in run(PATH=str(tmp_path)).stderr
