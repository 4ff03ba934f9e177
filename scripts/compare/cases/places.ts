/**
 * Cases from place to place, for all.ts. Each case with a registry has one of its own, served by the checkout itself.
 */
import { type Case, type Inputs, lines, words } from '../case.ts';

/** Copies between layouts, archives and a registry on loopback; rewrites out of, into and within the registry. */
export function placeCases(inputs: Inputs): Case[] {
  return [...fileCases(inputs), ...registryCases(inputs)];
}

function fileCases({ layout, oldArchive }: Inputs): Case[] {
  const of = (name: string, ...commands: readonly string[]): Case =>
    lines('copy', `copy ${name}`, ...commands);
  const from = (tag: string) => `oci:${layout}:${tag}`;
  return [
    ...['app', 'docker', 'index', 'plain'].flatMap((tag) => [
      of(`${tag} to a layout`, `copy ${from(tag)} oci:out:copy --format json --digestfile digest --jobs 1`),
      of(
        `${tag} to an OCI archive`,
        `copy ${from(tag)} oci-archive:out.tar:copy --metadata-file metadata.json`,
      ),
      of(`${tag} to a Docker archive`, `copy ${from(tag)} docker-archive:out.tar:app:copy`),
    ]),
    of(
      'from an OCI archive',
      `copy ${from('index')} oci-archive:a.tar:1`,
      'copy oci-archive:a.tar:1 oci:out:copy',
    ),
    of(
      'from a Docker archive',
      `copy ${from('plain')} docker-archive:a.tar:app:1`,
      'copy docker-archive:a.tar oci:out:copy',
    ),
    of('from an old Docker archive', `copy docker-archive:${oldArchive} oci:out:copy --format json`),
    of('one platform', `copy ${from('index')} oci:out:copy --platform linux/arm64 --format json`),
    of('an unknown platform', `copy ${from('index')} oci:out:copy --platform linux/s390x`),
    of('with labels', `copy ${from('app')} oci:out:copy --label a=b --annotation c=d --format json`),
    of(
      'by digest',
      `copy ${from('app')} oci:out:copy --digestfile digest`,
      `copy oci:out:copy oci:other:copy`,
    ),
    of(
      'over itself',
      `copy ${from('app')} oci:out:copy`,
      'copy oci:out:copy oci:out:copy',
      `copy ${from('docker')} oci:out:copy`,
    ),
    of('in a dry run', `copy ${from('app')} oci:out:copy --dry-run --format json`),
    ...['squash --all', 'prune --shadowed', 'recompress --compression gzip --level 10', 'slim'].map(
      (line) => {
        const [command = '', ...options] = words(line);
        return of(
          `from an old archive: ${line}`,
          [command, `docker-archive:${oldArchive}`, 'oci:out:new', ...options].join(' '),
        );
      },
    ),
    of(
      'a squash into archives',
      `squash ${from('app')} oci-archive:a.tar:1 --last 3`,
      `squash ${from('docker')} docker-archive:b.tar:app:1 --last 3`,
    ),
    of(
      'a place that is missing',
      'copy oci:nothing:1 oci:out:1',
      'copy oci-archive:nothing.tar:1 oci:out:1',
      'copy docker-archive:nothing.tar oci:out:1',
    ),
    of('a name that is missing', `copy oci:${layout}:nothing oci:out:1`),
  ];
}

function registryCases({ layout }: Inputs): Case[] {
  const host = 'localhost:{port}';
  const app = `${host}/team/app`;
  const of = (name: string, ...commands: readonly string[]): Case => ({
    ...lines('registry', `registry: ${name}`, ...commands),
    registry: true,
  });
  const push = (tag: string) => `copy oci:${layout}:${tag} ${app}:${tag}`;
  return [
    of('push and pull', push('app'), `copy ${app}:app oci:out:app --format json --jobs 1`),
    of(
      'push an index',
      push('index'),
      `copy ${app}:index oci:out:index`,
      `copy ${app}:index ${host}/other:1 --platform linux/arm64`,
    ),
    of('push a Docker image', push('docker'), `copy ${app}:docker docker-archive:out.tar:app:1`),
    of('another repository', push('app'), `copy ${app}:app ${host}/other/app:1 --format json --jobs 1`),
    of('what is there already', push('app'), `${push('app')} --format json --jobs 1`),
    ...rewrites.map((line) => {
      const [command = '', ...options] = words(line);
      const again = [
        command,
        `${app}:app`,
        `${app}:new`,
        ...options,
        '--report',
        'report.json',
        '--jobs',
        '1',
      ];
      return of(line, push('app'), again.join(' '), `copy ${app}:new oci:out:new`);
    }),
    of(
      'an index in place',
      push('index'),
      `slim ${app}:index --in-place --format json --jobs 1`,
      `copy ${app}:index oci:out:index`,
    ),
    of(
      'pruned, with a debug image, and back',
      push('app'),
      `prune ${app}:app ${app}:slim --preset docs,logs --rule opt/data/** --debug-tag debug --report removed.json`,
      `verify ${app}:app ${app}:slim --removed-by removed.json`,
      `restore ${app}:slim ${app}:again --format json --jobs 1`,
      `verify ${app}:app ${app}:again --format json`,
      `verify ${app}:app ${app}:debug`,
    ),
    of('two tags', push('app'), `squash ${app}:app -t ${app}:a -t ${app}:b --last 2`),
    of(
      'a base in the registry',
      push('app'),
      push('base'),
      `squash ${app}:app ${app}:new --base ${app}:base --format json --jobs 1`,
    ),
    of(
      'a mirror',
      `copy oci:${layout}:app ${host}/app:1`,
      `copy unreachable.invalid/app:1 oci:out:1 --mirror unreachable.invalid=${host} --insecure`,
    ),
    of(
      'what is missing',
      push('app'),
      `copy ${app}:nothing oci:out:1`,
      `copy ${host}/nothing:1 oci:out:1 --retry-times 0`,
    ),
    of('export', push('app'), `export ${app}:app out.tar`),
  ];
}

const rewrites = [
  'squash --last 3',
  'squash --all --compression zstd',
  'prune --shadowed',
  'recompress --compression gzip --level 10',
  'recompress --tune small',
  'slim',
  'slim --require-savings 99%',
  'squash --last 3 --dry-run',
  'squash --last 3 --max-scratch 0',
];
