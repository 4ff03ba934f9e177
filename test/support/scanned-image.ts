/**
 * The image that the files in `fixtures/findings` are about: packages of Debian and of Node, and a program that no package has. Tests of
 * --findings, of --vex and of the matching open it.
 */
import { specOf } from './model/shorthand.ts';
import { writeTar } from './model/tar-bytes.ts';

const stanza = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\n`;

/** The files of each package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  curl: ['usr/bin/curl'],
  dash: ['bin/sh'],
  'perl-base': ['usr/bin/perl', 'usr/share/perl/x.pm'],
  libz1: ['usr/lib/libz.so.1'],
};

const manifest = '{"name":"left-pad","version":"1.0.0"}';

/** Returns the one layer of the image. */
export function scannedLayer(): Uint8Array {
  const names = Object.keys(packages);
  return writeTar(
    [
      'etc/os-release=ID=debian\nVERSION_ID=12\n',
      ...Object.values(packages).flatMap((files) => files.map((file) => `${file}=1`)),
      ...names.map(
        (name) =>
          `var/lib/dpkg/info/${name}.list=/.\n${packages[name]?.map((file) => `/${file}\n`).join('')}`,
      ),
      `var/lib/dpkg/status=${names.map(stanza).join('')}`,
      `app/node_modules/left-pad/package.json=${manifest}`,
      'app/node_modules/left-pad/index.js=1',
      `tool/node_modules/left-pad/package.json=${manifest}`,
      'usr/local/bin/redis-server=1',
    ].map(specOf),
  );
}
