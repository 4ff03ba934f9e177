#!/usr/bin/env python3
"""Collects the series that bench/relayer.ts simulates, from real archives. Run by hand: collect.py END FOLDER > series.tsv

END is the date of the last build (2026-11-20), FOLDER keeps what is downloaded. It needs Debian 12 with apt, uv and npm, about 430 MB of
packages, and an hour, most of it for npm. Packages come through apt, uv and npm alone.

Debian: the changelogs of the newest packages have every earlier version with its date. A change made for a point release counts from the
next change of base-files on, which is one of each point release; one made for the security archive counts at once. Sizes are those of
the newest version. Python: what `uv --exclude-newer` resolves at the time of a build; a package has three times the bytes of its wheel.
Node: what `npm --before` installs.
"""
import concurrent.futures
import datetime
import email.utils
import gzip
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tomllib

BUILDS = 8
STEPS = (30, 90)
RELEASE = datetime.date(2023, 6, 10)
DAY = datetime.timedelta(days=1)
BASE = set('base-files bash coreutils dpkg glibc util-linux perl apt systemd openssl zlib gcc-12 pam'.split())
SETS = {
    'python': 'python3 ca-certificates',
    'node': 'nodejs nginx ffmpeg imagemagick ca-certificates',
    'java': 'openjdk-17-jdk gcc g++ maven git',
    'desktop': 'gnome-core firefox-esr libreoffice-core libreoffice-writer linux-image-amd64 podman',
}
REQUIREMENTS = {
    'web': 'django djangorestframework celery redis psycopg[binary] sqlalchemy fastapi uvicorn[standard] boto3 requests pydantic '
    'cryptography pillow sentry-sdk opentelemetry-sdk google-cloud-storage pandas lxml gunicorn',
    'torch': 'numpy pandas scipy scikit-learn matplotlib transformers torch pyarrow opencv-python-headless fastapi '
    'uvicorn[standard] boto3 pillow',
}
MODULES = 'next react react-dom typescript express @aws-sdk/client-s3 sharp axios @sentry/node pg mongoose'

end = datetime.date.fromisoformat(sys.argv[1])
folder = pathlib.Path(sys.argv[2]).absolute()
(folder / 'debs').mkdir(parents=True, exist_ok=True)


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def builds(step):
    return [end - (BUILDS - 1 - k) * step * DAY for k in range(BUILDS)]


def stanzas(text):
    for stanza in text.split('\n\n'):
        yield dict(re.findall(r'^([A-Z][\w-]*): (.*)$', stanza, re.M))


def debian_sets():
    """Returns what apt would install for each set into an empty system, and what it knows of these packages."""
    empty = folder / 'empty'
    empty.write_text('')
    essential = [s['Package'] for s in stanzas(run('apt-cache', 'dumpavail')) if s.get('Essential') == 'yes']
    sets = {}
    for name, wanted in SETS.items():
        options = ['-o', f'Dir::State::status={empty}', '-o', 'APT::Install-Recommends=false']
        plan = run('apt-get', '-s', *options, 'install', 'apt', *sorted(set(essential)), *wanted.split())
        sets[name] = sorted(set(re.findall(r'^Inst (\S+)', plan, re.M)))
    names = sorted({each for members in sets.values() for each in members})
    known = {}
    for s in stanzas(run('apt-cache', 'show', '--no-all-versions', *names)):
        if 'Size' in s:
            source = s.get('Source', s['Package']).split(' ')[0]
            known[s['Package']] = (source, 1024 * int(s.get('Installed-Size', 0)), int(s['Size']))
    return sets, known


def changelog(deb):
    found = ''
    with tarfile.open(fileobj=io.BytesIO(subprocess.run(['dpkg-deb', '--fsys-tarfile', deb], capture_output=True).stdout)) as tar:
        for member in tar:
            own = re.search(r'/usr/share/doc/[^/]+/changelog(\.Debian)?\.gz$', member.name)
            if own and member.isfile() and (own[1] or not found):
                found = gzip.decompress(tar.extractfile(member).read()).decode('utf8', 'replace')
    entries, release = [], None
    for line in found.split('\n'):
        if heading := re.match(r'\S+ \([^)]+\) ([^;]+);', line):
            release = heading[1]
        elif (signed := re.match(r' -- .*?>\s\s?(.*)$', line)) and release and (date := email.utils.parsedate_tz(signed[1])):
            entries.append((datetime.datetime.fromtimestamp(email.utils.mktime_tz(date), datetime.timezone.utc).date(), release))
            release = None
    return entries


def changelogs(known):
    """Returns the dated changes of each source package, from the smallest of its packages."""
    smallest = {}
    for package, (source, _, size) in known.items():
        smallest[source] = min(smallest.get(source, (size, package)), (size, package))
    run('apt-get', 'download', *[package for _, package in smallest.values()], cwd=folder / 'debs')
    debs = {path.name.split('_')[0]: path for path in (folder / 'debs').glob('*.deb')}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(smallest, pool.map(changelog, [debs[package] for _, package in smallest.values()])))


def effective(changes, points):
    """Returns when the archive had the versions of a package that were made after the release."""
    for date, release in changes:
        if 'bookworm' in release and 'backports' not in release and date >= RELEASE - 10 * DAY:
            later = [point for point in points if point >= date - 3 * DAY]
            yield date if 'security' in release else min(later, default=date + 20 * DAY)


def python_packages(kind, days):
    found = {}
    for k, day in enumerate(days):
        lock = folder / f'pylock.{kind}-{day}.toml'
        if not lock.exists():
            wanted = folder / f'{kind}.in'
            wanted.write_text('\n'.join(REQUIREMENTS[kind].split()))
            run('uv', 'pip', 'compile', '-q', '--exclude-newer', str(day), '--python-version', '3.11', '--python-platform',
                'x86_64-manylinux_2_28', '--format', 'pylock.toml', str(wanted), '-o', str(lock))
        for package in tomllib.loads(lock.read_text())['packages']:
            files = package.get('wheels') or [package['sdist']]
            found.setdefault(f"python:{package['name']}", {})[k] = (package['version'], 3 * max(f['size'] for f in files))
    return found


def node_modules(day):
    place = folder / f'node-{day}'
    sizes = place / 'sizes.json'
    if sizes.exists():
        return json.loads(sizes.read_text())
    place.mkdir(exist_ok=True)
    (place / 'package.json').write_text(json.dumps({'name': 'app', 'dependencies': dict.fromkeys(MODULES.split(), '*')}))
    run('npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', '--before', str(day), cwd=place)
    found = {}
    for at, _, files in os.walk(place / 'node_modules'):
        top, _, rest = at[len(str(place)) + 1:].rpartition('node_modules/')
        name = re.match(r'(@[^/]+/)?[^/]+', rest)
        if not rest or not name or name[0].startswith('@') and '/' not in name[0]:
            continue
        entry = found.setdefault(f'{top}node_modules/{name[0]}', [0, None])
        entry[0] += sum(512 + (os.lstat(os.path.join(at, f)).st_size + 511) // 512 * 512 for f in files)
        if name[0] == rest and 'package.json' in files:
            entry[1] = json.loads(pathlib.Path(at, 'package.json').read_text()).get('version')
    sizes.write_text(json.dumps(found))
    return found


def node_packages(days):
    found = {}
    for k, day in enumerate(days):
        small = []
        for name, (size, version) in node_modules(day).items():
            if size > 2**20:
                found.setdefault(f'node:/app/{name}', {})[k] = (version, size)
            else:
                small.append((name, version, size))
        found.setdefault('node:/app/node_modules', {})[k] = (str(sorted(small, key=str)), sum(s for _, _, s in small))
    return found


def write(name, packages, known, dates, language, step, application):
    days = builds(step)
    print('series', f'{name}, every {step} days', *[day.strftime('%Y%m%d') for day in days], sep='\t')
    sizes = {}
    for package in packages:
        if package in known:
            source, size, _ = known[package]
            sizes[source] = sizes.get(source, 0) + size + 1024
    for source, size in sorted(sizes.items()):
        seen = [sum(date <= day for date in dates[source]) for day in days]
        order = sorted(set(seen))
        letters = ''.join(chr(97 + order.index(each)) for each in seen)
        print('c', f'dpkg:{source}', 0 if source in BASE else 1, letters, size, sep='\t')
    for package, at in sorted(language.items()):
        order = list(dict.fromkeys(at.values()))
        letters = ''.join(chr(97 + order.index(at[k])) if k in at else '-' for k in range(BUILDS))
        print('c', package, 2, letters, *[size for _, size in order], sep='\t')
    every = ''.join(chr(97 + k) for k in range(BUILDS))
    if application:
        print('c', 'tree:/app/src', 3, every, application, sep='\t')
    print('c', 'volatile', 3, every, 4_000_000, sep='\t')


def main():
    sets, known = debian_sets()
    changes = changelogs(known)
    points = sorted(date for date, release in changes['base-files'] if release.startswith('bookworm') and date > RELEASE)
    dates = {source: list(effective(entries, points)) for source, entries in changes.items()}
    for step in STEPS:
        days = builds(step)
        web, torch = (python_packages(kind, days) for kind in ('web', 'torch'))
        write('Python web service', sets['python'], known, dates, web, step, 10_000_000)
        write('Python with PyTorch', sets['python'], known, dates, torch, step, 5_000_000)
        if step == STEPS[0]:
            node = node_packages(days)
            write('Node application', sets['node'], known, dates, node, step, 10_000_000)
            both = sorted({*sets['python'], *sets['node']})
            write('Python, Node and PyTorch', both, known, dates, torch | node, step, 10_000_000)
        write('Java build', sets['java'], known, dates, {}, step, 30_000_000)
        write('desktop', sets['desktop'], known, dates, {}, step, 0)
    for source, entries in sorted(changes.items()):
        told = [f"{date:%Y%m%d}{'' if 'bookworm' in release else '*'}" for date, release in entries if RELEASE.year - 3 <= date.year and date <= end]
        if told:
            print('d', f'dpkg:{source}', *told[:40], sep='\t')


main()
