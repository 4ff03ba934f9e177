#!/usr/bin/env python3
"""Builds eight versions of a real image, a month apart, as a pipeline without a cache would: build-series.py END WORK OUT

END is the date of the last build (2026-11-20), WORK keeps what is downloaded, and OUT gets OCI layouts v1 to v8, tag "v", not compressed;
those that are there stay. It needs Debian 12
with apt, python3.11, uv and npm, root for the owners of files, and ocislim built in this checkout. Packages come through apt, uv and npm alone.

Each build installs what there was at its day: of each Debian package the newest version that the archive's release, updates and security
suites hold now and that had been made by then, else the oldest; of Python and Node what `uv --exclude-newer` and `npm --before` resolve.
Packages are unpacked, with the database that dpkg would write; their scripts do not run. As in a pipeline, everything that an installer writes,
and a fresh checkout of the application, has the time of the build. Layers: the base, packages, Python, Node, the application.
"""
import concurrent.futures
import datetime
import functools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

BUILDS, STEP = 8, datetime.timedelta(days=30)
BASE = 'apt bash ca-certificates'
WANTED = 'python3 nodejs nginx imagemagick git libopenblas0 postgresql-client'
PYTHON = 'numpy pandas scipy scikit-learn django requests cryptography pillow fastapi uvicorn boto3'
NODE = 'express react react-dom next axios typescript pg'
HERE = pathlib.Path(__file__).resolve().parents[2]

end = datetime.date.fromisoformat(sys.argv[1])
work, out = (pathlib.Path(each).absolute() for each in sys.argv[2:4])
days = [end - (BUILDS - 1 - k) * STEP for k in range(BUILDS)]


def run(*command, **options):
    return subprocess.run([str(each) for each in command], check=True, capture_output=True, text=True, **options).stdout


def closure(wanted):
    """Returns what apt would install into an empty system."""
    empty = work / 'empty'
    empty.write_text('')
    stanzas = run('apt-cache', 'dumpavail').split('\n\n')
    essential = {re.search(r'^Package: (.*)', each, re.M)[1] for each in stanzas if '\nEssential: yes' in each}
    options = ['-o', f'Dir::State::status={empty}', '-o', 'APT::Install-Recommends=false']
    plan = run('apt-get', '-s', *options, 'install', *sorted(essential), *wanted.split())
    return sorted(set(re.findall(r'^Inst (\S+)', plan, re.M)))


def download(names):
    """Downloads every version that the suites have, and returns them by package, each with its date, the oldest first."""
    debs = work / 'debs'
    debs.mkdir(exist_ok=True)
    rows = [[part.strip() for part in line.split('|')] for line in run('apt-cache', 'madison', *names).splitlines()]
    versions = sorted({(name, version) for name, version, place in rows if name in names and 'Packages' in place})
    file = lambda name, version: next(debs.glob(f'{name}_{version.replace(":", "%3a")}_*.deb'), None)
    missing = [f'{name}={version}' for name, version in versions if file(name, version) is None]
    for at in range(0, len(missing), 50):
        run('apt-get', '-q', 'download', *missing[at:at + 50], cwd=debs)
    found = {}
    for name, version in versions:
        deb = file(name, version)
        # The head of the first member of a deb has the date of its changelog.
        made = datetime.date.fromtimestamp(int(deb.read_bytes()[24:36]))
        found.setdefault(name, []).append((version, made, deb))
    newer = functools.cmp_to_key(lambda a, b: -1 if subprocess.run(['dpkg', '--compare-versions', a[0], 'lt', b[0]]).returncode == 0 else 1)
    return {name: sorted(each, key=newer) for name, each in found.items()}


def unpack(deb, root):
    """Unpacks a package as dpkg does, and returns what the database says of it."""
    run('dpkg-deb', '-x', deb, root)
    control = work / 'control' / deb.name
    if not control.exists():
        control.parent.mkdir(exist_ok=True)
        run('dpkg-deb', '-e', deb, control)
    info = root / 'var/lib/dpkg/info'
    info.mkdir(parents=True, exist_ok=True)
    text = (control / 'control').read_text()
    field = lambda name: (re.search(f'^{name}: (.*)', text, re.M) or ['', ''])[1]
    name = field('Package') + (f":{field('Architecture')}" if field('Multi-Arch') == 'same' else '')
    for each in control.iterdir():
        if each.name != 'control':
            shutil.copyfile(each, info / f'{name}.{each.name}')
    listed = run('dpkg-deb', '-c', deb).splitlines()
    paths = [re.split(r' (?:->|link to) ', line.split(None, 5)[5])[0][1:].rstrip('/') or '/.' for line in listed]
    (info / f'{name}.list').write_text('\n'.join(paths) + '\n')
    return text.rstrip('\n').replace('\n', '\nStatus: install ok installed\n', 1) + '\n'


def packages(names, versions, day, roots):
    """Unpacks packages into roots, the first for those of the base, and writes the database into both."""
    base = set(closure(BASE))
    stanzas = {}
    for name in names:
        there = [deb for _, made, deb in versions[name] if made <= day]
        stanzas[name] = unpack(there[-1] if there else versions[name][0][2], roots[0] if name in base else roots[1])
    for root, own in ((roots[0], base), (roots[1], set(names))):
        (root / 'var/lib/dpkg/status').write_text('\n'.join(stanzas[name] for name in names if name in own))
        log = root / 'var/log'
        log.mkdir(parents=True, exist_ok=True)
        (log / 'dpkg.log').write_text(''.join(f'{day} 03:00:00 status installed {name}\n' for name in names if name in own))


def compiled(root, place):
    run('python3.11', '-m', 'compileall', '-q', '-j', '2', '-s', root, '-p', '/', root / place, env=os.environ | {'PYTHONHASHSEED': '0'})


def age(root, day, places):
    """Gives what an installer wrote the time of the build."""
    time = datetime.datetime.combine(day, datetime.time(3), datetime.timezone.utc).timestamp()
    for place in places:
        for at, _, files in os.walk(root / place):
            for each in [at, *(os.path.join(at, file) for file in files)]:
                time += 0.01
                os.utime(each, (int(time), int(time)), follow_symlinks=False)


def python(day, root):
    place = root / 'opt/venv/lib/python3.11/site-packages'
    wanted = work / 'python.in'
    wanted.write_text('\n'.join(PYTHON.split()))
    lock = work / f'python-{day}.txt'
    common = ['--python-version', '3.11', '--python-platform', 'x86_64-manylinux_2_28', '--only-binary', ':all:']
    if not lock.exists():
        run('uv', 'pip', 'compile', '-q', '--exclude-newer', day, *common, wanted, '-o', lock)
    run('uv', 'pip', 'install', '-q', '--link-mode', 'copy', '--no-deps', *common, '--target', place, '-r', lock)
    (place / '.lock').unlink(missing_ok=True)
    # The sources get their times first, which compiled modules hold.
    age(root, day, ['opt'])
    compiled(root, 'opt/venv')
    age(root, day, [each.relative_to(root) for each in place.rglob('__pycache__')])


def node_modules(day):
    place = work / f'node-{day}'
    if not (place / 'done').exists():
        place.mkdir(exist_ok=True)
        (place / 'package.json').write_text(json.dumps({'name': 'app', 'dependencies': dict.fromkeys(NODE.split(), '*')}))
        run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', '--before', day, cwd=place)
        (place / 'done').touch()
    return place / 'node_modules'


def application(k, root):
    """Writes 400 files, of which each build after the first has changed ten."""
    source = root / 'app/src'
    changed = {file: at for at in range(k + 1) for file in random.Random(f'build {at}').sample(range(400), 400 if at == 0 else 10)}
    for file, at in changed.items():
        draw = random.Random(f'{file} {at}')
        path = source / f'module{file % 20:02}' / f'file{file:03}.js'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join(f'export const name{draw.randrange(10**6)} = {draw.random()};\n' for _ in range(draw.randrange(100, 900))))
    (root / 'app/BUILD').write_text(f'build {k + 1}\n')


def build(k, names, versions):
    day, tree = days[k], work / f'tree-{k + 1}'
    shutil.rmtree(tree, ignore_errors=True)
    base, middle, venv, node, app = roots = [tree / name for name in ('base', 'packages', 'python', 'node', 'application')]
    for root in roots:
        root.mkdir(parents=True)
    packages(names, versions, day, (base, middle))
    compiled(middle, 'usr/lib/python3')
    compiled(middle, 'usr/lib/python3.11')
    age(middle, day, [each.relative_to(middle) for each in middle.rglob('__pycache__')])
    for root in (base, middle):
        age(root, day, ['var/lib/dpkg', 'var/log'])
    python(day, venv)
    (node / 'app').mkdir()
    shutil.copytree(node_modules(day), node / 'app/node_modules', symlinks=True)
    age(node, day, ['app'])
    application(k, app)
    age(app, day, ['app'])
    time = datetime.datetime.combine(day, datetime.time(4), datetime.timezone.utc)
    layers = [option for root in roots for option in ('--layer', f'{root}:/')]
    environment = os.environ | {'SOURCE_DATE_EPOCH': str(int(time.timestamp()))}
    shutil.rmtree(out / f'v{k + 1}', ignore_errors=True)
    options = ['--mtime', 'keep', '--compression', 'none', '--cmd', '/usr/bin/node']
    run('node', HERE / 'bin/ocislim', 'build', f'oci:{out}/v{k + 1}:v', *layers, *options, env=environment)
    shutil.rmtree(tree)


def main():
    work.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    names = closure(f'{BASE} {WANTED}')
    versions = download(names)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(node_modules, days))
    for k in range(BUILDS):
        if (out / f'v{k + 1}/index.json').exists():
            continue
        build(k, names, versions)
        print(f'v{k + 1}: {days[k]}', flush=True)


main()
