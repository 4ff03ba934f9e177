/**
 * A small image that can be pruned by a trace: programs with libraries, a script, packages with their database, an
 * application over them. Golden digests and scripts/compare-checkouts.ts use it.
 */
import { writeElf } from '../rootfs/facts/elf-bytes.ts';
import { type BuiltImage, buildImage, type LayerCompression } from './image-builder.ts';
import { bytesOf } from './model/byte-string.ts';
import { type Short, specOf } from './model/shorthand.ts';
import { writeTar } from './model/tar-bytes.ts';

const executable = (name: string, body: Uint8Array): Short => ({ name, mode: 0o755, body });
const program = (name: string, ...needed: readonly string[]): Short =>
  executable(name, writeElf({ interpreter: '/lib64/ld-linux-x86-64.so.2', needed }));
const library = (name: string, soname: string, ...needed: readonly string[]): Short =>
  executable(name, writeElf({ soname, needed }));

const installed = (name: string): string =>
  `Package: ${name}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n\n`;
const listOf = (name: string, ...files: readonly string[]): string =>
  `var/lib/dpkg/info/${name}.list=/.\n/usr\n${files.map((file) => `${file}\n`).join('')}`;

const base: readonly Short[] = [
  executable('lib64/ld-linux-x86-64.so.2', writeElf({ soname: 'ld-linux-x86-64.so.2' })),
  library('lib/x86_64-linux-gnu/libc.so.6', 'libc.so.6'),
  library('lib/x86_64-linux-gnu/libnss_files.so.2', 'libnss_files.so.2', 'libc.so.6'),
  library('usr/lib/x86_64-linux-gnu/libtool.so.1.0', 'libtool.so.1', 'libc.so.6', 'libhelper.so.2'),
  'usr/lib/x86_64-linux-gnu/libtool.so.1~>libtool.so.1.0',
  library('usr/lib/x86_64-linux-gnu/libhelper.so.2', 'libhelper.so.2', 'libc.so.6'),
  library('usr/lib/x86_64-linux-gnu/libunused.so.3', 'libunused.so.3', 'libc.so.6'),
  program('bin/dash', 'libc.so.6'),
  'bin/sh~>dash',
  program('usr/bin/other', 'libunused.so.3'),
  'etc/passwd=root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n',
  'etc/group=root:x:0:\napp:x:1000:\n',
  'etc/nsswitch.conf=passwd: files\nhosts: files dns\n',
  'etc/ld.so.conf=/usr/lib/x86_64-linux-gnu\n',
  'etc/ssl/certs/ca-certificates.crt=certificates',
  'usr/share/zoneinfo/Europe/Paris=TZif',
  'usr/share/doc/tool/copyright=MIT',
  'usr/share/doc/tool/manual=long',
  'tmp/',
  `var/lib/dpkg/status=${['libc6', 'dash', 'libtool1', 'other'].map(installed).join('')}`,
  listOf(
    'libc6',
    '/lib64/ld-linux-x86-64.so.2',
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib/x86_64-linux-gnu/libnss_files.so.2',
  ),
  listOf('dash', '/bin/dash', '/bin/sh'),
  listOf(
    'libtool1',
    '/usr/lib/x86_64-linux-gnu/libtool.so.1',
    '/usr/lib/x86_64-linux-gnu/libtool.so.1.0',
    '/usr/lib/x86_64-linux-gnu/libhelper.so.2',
    '/usr/share/doc/tool/copyright',
    '/usr/share/doc/tool/manual',
  ),
  listOf('other', '/usr/bin/other', '/usr/lib/x86_64-linux-gnu/libunused.so.3'),
];

const application: readonly Short[] = [
  executable('app/main', bytesOf('#!/bin/sh\nexec /app/tool\n')),
  program('app/tool', 'libtool.so.1'),
  'app/data/used=1',
  'app/data/unused=2',
  'app/data/old=3',
  'app/current~>data/used',
  'app/hard->app/data/unused',
];

const change: readonly Short[] = ['app/data/used=newer', 'app/data/.wh.old', 'app/notes=4'];

/** Builds the image, with the entrypoint `/app/main`. */
export function tracedImage(compress: LayerCompression = 'gzip'): BuiltImage {
  return buildImage({
    layers: [base, application, change].map((entries) => writeTar(entries.map(specOf))),
    compress,
    config: {
      config: { Entrypoint: ['/app/main'], User: 'app', WorkingDir: '/app', Env: ['PATH=/usr/bin:/bin'] },
    },
  });
}

/** What a trace of the image's job says: a list of paths. */
export const tracedPaths: readonly string[] = [
  '/app/main',
  '/bin/sh',
  '/app/tool',
  '/usr/lib/x86_64-linux-gnu/libtool.so.1',
  '/app/current',
];
