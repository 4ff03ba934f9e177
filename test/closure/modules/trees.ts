/** Builders for what package managers of languages and systems leave in an image. The tests of named modules use them. */
import type { Table } from '../rig.ts';

type Files = Readonly<Record<string, string>>;

/** Where the distributions and gems of the tests are installed. */
export const site = 'usr/local/lib/python3.11/site-packages';
const gems = 'usr/local/bundle';

/** Returns a package of Debian with these files. */
export function dpkg(name: string, files: Files): Table {
  const list = Object.keys(files).map((path) => `/${path}\n`);
  return { ...files, [`var/lib/dpkg/info/${name}.list`]: list.join('') };
}

/** Returns a distribution of Python as pip installs it, with these lines in its metadata. */
export function wheel(name: string, files: Files, ...metadata: readonly string[]): Table {
  const home = `${name}-1.0.dist-info`;
  const names = [...Object.keys(files), `${home}/METADATA`, `${home}/RECORD`];
  return below(site, {
    ...files,
    [`${home}/METADATA`]: [`Name: ${name}`, ...metadata, ''].join('\n'),
    [`${home}/RECORD`]: names.map((path) => `${path},,\n`).join(''),
  });
}

/** Returns a gem as RubyGems installs it, with these lines in its specification. */
export function gem(name: string, files: Files, ...specification: readonly string[]): Table {
  const lines = ['Gem::Specification.new do |s|', ...specification, 'end', ''];
  return {
    ...below(`${gems}/gems/${name}-1.0`, files),
    [`${gems}/specifications/${name}-1.0.gemspec`]: lines.join('\n'),
  };
}

/** Returns packages of Node in a directory, by name, each with the members of its package.json. */
export function node(directory: string, packages: Readonly<Record<string, object>>): Table {
  return Object.fromEntries(
    Object.entries(packages).map(([name, manifest]) => [
      `${directory}/node_modules/${name}/package.json`,
      JSON.stringify(manifest),
    ]),
  );
}

/** Returns these files in a directory. */
export function below(directory: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]));
}
