import { describe, expect, it } from 'vitest';
import { type Filesystem, mergeStack } from '../../../src/rootfs/filesystem.ts';
import { buildStack } from '../../../src/changeset/stack.ts';
import { surveyFiles } from '../../../src/rootfs/surface/survey.ts';
import type { SurfaceKind } from '../../../src/rootfs/surface/surface.ts';
import { indexOf } from '../../changeset/rig.ts';
import type { Short } from '../../support/model/shorthand.ts';
import { b } from '../../support/bytes.ts';

async function merged(...layers: readonly (readonly Short[])[]): Promise<Filesystem> {
  const indexes = await Promise.all(layers.map((entries) => indexOf(...entries)));
  const numbered = new Map(indexes.map((index, i) => [i + 1, index]));
  return mergeStack(buildStack(numbered), numbered);
}

const program = (name: string, mode = 0o755): Short => ({ name, mode });

/** What counts, with its other names in brackets; kinds of which there is nothing are left out. */
async function survey(layers: readonly (readonly Short[])[], path = ''): Promise<Record<string, string[]>> {
  const files = surveyFiles(await merged(...layers), b(path));
  return Object.fromEntries(
    (Object.keys(files) as SurfaceKind[]).flatMap((kind) =>
      files[kind].length === 0
        ? []
        : [
            [
              kind,
              files[kind].map((file) => [file.path, ...file.names.map((name) => `(${name})`)].join(' ')),
            ],
          ],
    ),
  );
}

describe('programs', () => {
  it('count once for each file, with all names that lead to it', async () => {
    expect(
      await survey([
        [
          'bin~>usr/bin',
          program('usr/bin/dash'),
          'usr/bin/sh~>dash',
          program('usr/bin/bash'),
          'usr/bin/rbash~>bash',
          program('usr/bin/perl'),
          'usr/bin/perl5.36.0->usr/bin/perl',
          'etc/alternatives/awk~>/usr/bin/mawk',
          program('usr/bin/mawk'),
          'usr/bin/awk~>/etc/alternatives/awk',
        ],
      ]),
    ).toEqual({
      shells: ['usr/bin/bash (usr/bin/rbash)', 'usr/bin/dash (usr/bin/sh)'],
      interpreters: ['usr/bin/mawk (usr/bin/awk)', 'usr/bin/perl (usr/bin/perl5.36.0)'],
    });
  });
  it('count under the name of the file if only a symlink has the name of a program', async () => {
    expect(
      await survey([
        [
          program('usr/local/lib/node_modules/npm/bin/npm-cli.js'),
          'usr/local/bin/npm~>../lib/node_modules/npm/bin/npm-cli.js',
        ],
      ]),
    ).toEqual({
      'package-managers': ['usr/local/lib/node_modules/npm/bin/npm-cli.js (usr/local/bin/npm)'],
    });
  });
  it('count in several kinds if one file has several names, as busybox does', async () => {
    expect(
      await survey([
        [
          program('bin/busybox'),
          'bin/sh~>/bin/busybox',
          'bin/ls~>/bin/busybox',
          'usr/bin/wget~>/bin/busybox',
        ],
      ]),
    ).toEqual({ shells: ['bin/busybox (bin/sh)'], 'network-tools': ['bin/busybox (usr/bin/wget)'] });
    expect(
      await survey([[program('bin/['), 'bin/ash->bin/[', 'bin/busybox->bin/[', 'bin/wget->bin/[']]),
    ).toEqual({ shells: ['bin/ash (bin/busybox)'], 'network-tools': ['bin/wget'] });
  });
  it('count only if they are executable files', async () => {
    expect(
      await survey([
        [
          program('bin/bash', 0o644),
          'bin/dash/',
          'bin/zsh~>nowhere',
          'bin/ksh~>dash',
          'bin/a~>bin/a',
          program('bin/python3'),
          program('bin/curl'),
        ],
        ['bin/.wh.curl'],
      ]),
    ).toEqual({ interpreters: ['bin/python3'] });
  });
  it('count in directories of programs only: those named bin or sbin, or in PATH', async () => {
    const layer = [
      program('etc/cron.daily/dpkg'),
      program('etc/init.d/ssh'),
      program('busybox/sh'),
      program('opt/tools-1/nc'),
      'opt/tools~>tools-1',
      program('srv/venv/bin/pip3'),
      program('sbin/apk'),
      program('usr/cabin/bash'),
      program('curl'),
    ];
    const always = { 'package-managers': ['sbin/apk', 'srv/venv/bin/pip3'] };
    expect(await survey([layer])).toEqual(always);
    expect(await survey([layer], '/usr/bin:/busybox:/opt/tools/../tools:relative:/gone:')).toEqual({
      ...always,
      shells: ['busybox/sh'],
      'network-tools': ['opt/tools-1/nc'],
    });
  });
});

describe('modes and capabilities', () => {
  it('are those of files and directories, not of symlinks', async () => {
    expect(
      await survey([
        [
          { name: 'su', mode: 0o4755 },
          'su-too->su',
          { name: 'wall', mode: 0o2755 },
          { name: 'mail/', type: 'dir', mode: 0o2775 },
          { name: 'link', type: 'symlink', linkname: 'su', mode: 0o777 },
          { name: 'tmp/', type: 'dir', mode: 0o1777 },
          { name: 'open/', type: 'dir', mode: 0o777 },
          { name: 'open/file', mode: 0o666 },
          { name: 'plain', mode: 0o664 },
          { name: 'pipe', type: 'fifo', mode: 0o666 },
          { name: 'ping', xattrs: { 'security.capability': '\x01\x00\x00\x02' } },
        ],
      ]),
    ).toEqual({
      setuid: ['su (su-too)', 'wall'],
      'world-writable-files': ['open/file'],
      'world-writable-directories': ['open'],
      capabilities: ['ping'],
    });
  });
  it('are those of the topmost layer; a directory without an entry is not writable', async () => {
    expect(
      await survey([
        [
          { name: 'a', mode: 0o4755 },
          { name: 'd/', type: 'dir', mode: 0o777 },
        ],
        [
          { name: 'a', mode: 0o755 },
          { name: 'd/', type: 'dir', mode: 0o755 },
          { name: 'x/y', mode: 0o602 },
        ],
      ]),
    ).toEqual({ 'world-writable-files': ['x/y'] });
  });
});
