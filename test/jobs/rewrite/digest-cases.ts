/**
 * A case of `digests.test.ts`: command lines that are run one after the other in the same folder. What is recorded is what
 * the last one has made.
 */
export interface DigestCase {
  readonly name: string;
  readonly lines: readonly string[];
  /** The file whose digest counts. Default: standard output, where the digest of the new image stands. */
  readonly file?: string;
}

/** Makes a case of each list of options. */
function rewriting(command: string, image: string, ...options: readonly string[]): DigestCase[] {
  return options.map((option) => ({
    name: [command, image, option].join(' ').trim(),
    lines: [`${command} oci:in:${image} oci:out:new ${option}`],
  }));
}

/**
 * Cases whose blobs are in zstd: the bytes are those of the zstd in Node, which another Node may have in another
 * version. So the digest of the config counts, which holds those of the unpacked layers.
 */
function unpacked(command: string, image: string, ...options: readonly string[]): DigestCase[] {
  return rewriting(command, image, ...options).map(({ name, lines }) => ({
    name,
    lines: lines.map((line) => `${line} --iidfile id`),
    file: 'id',
  }));
}

function several(name: string, lines: readonly string[], file?: string): DigestCase {
  return file === undefined ? { name, lines } : { name, lines, file };
}

const pruning = '--preset docs,logs,apt-lists --rule opt/data/** --shadowed';

/**
 * Every command over images whose layers are not packed, or packed by ocislim itself: Node's gzip, and so the engine
 * `zlib`, may write other bytes in another version.
 */
export const digestCases: readonly DigestCase[] = [
  ...rewriting(
    'squash',
    'app',
    '--all',
    '--last 3',
    '--layers 2..5',
    '--layers 1..3',
    '--layers 4..',
    '--from-layer 4',
    '--base oci:in:base',
    '--all --order similar',
    '--all --dedupe-hardlink',
    '--layers 2..5 --order similar --dedupe-hardlink',
    '--all --compression gzip --level 1',
    '--all --compression gzip --level 12',
    '--last 3 --compression gzip --gzip-engine pako --level 6',
    '--last 4 --label made=by-hand --annotation note=here',
    '--all --tune small --compression gzip',
  ),
  ...rewriting('squash', 'packed', '--last 3', '--layers 2..5', '--all'),
  ...rewriting('squash', 'docker', '--all', '--last 3'),
  ...rewriting('squash', 'index', '--all', '--last 2', '--all --platform linux/arm64'),
  ...unpacked('squash', 'app', '--all --compression zstd --level 12'),

  ...rewriting(
    'prune',
    'app',
    '--shadowed',
    '--shadowed --layers 2..5',
    '--shadowed --empty-layers drop',
    '--shadowed --squash --layers 4..9',
    '--preset apt-lists,apt-cache,docs,logs',
    '--preset setuid',
    '--rule opt/data/** --rule usr/bin/perl5 --keep opt/data/p*/**',
    '--rule opt/app/settings --layers 4',
    '--rule srv --order similar --dedupe-hardlink',
    '--rule usr/bin/tool --shadowed --compression gzip --level 9',
  ),
  ...rewriting('prune', 'packed', '--shadowed', '--preset docs,logs,setuid'),
  ...rewriting('prune', 'docker', '--shadowed --preset docs'),
  ...rewriting('prune', 'index', '--shadowed --preset docs,setuid'),
  ...rewriting(
    'prune',
    'traced',
    '--trace trace',
    '--trace trace --granularity file',
    '--trace trace --granularity directory',
    '--trace trace --granularity file --keep-command /usr/bin/other',
    '--trace trace --granularity file --shadowed --preset docs --squash --layers 1..3',
  ),
  several('prune with a debug image', [
    `prune oci:in:app oci:out:new ${pruning} --debug-tag debug`,
    'copy oci:out:debug oci:out:copy',
  ]),

  ...rewriting(
    'recompress',
    'app',
    ...[1, 4, 6, 9, 10, 12].map((level) => `--compression gzip --level ${level}`),
    ...[1, 6, 9].map((level) => `--compression gzip --gzip-engine pako --level ${level}`),
    '--compression gzip',
    '--compression gzip --level 9 --layers 3..5',
    ...['fast', 'balanced', 'small'].map((goal) => `--tune ${goal} --compression gzip`),
  ),
  ...rewriting(
    'recompress',
    'packed',
    '',
    '--compression none',
    '--compression gzip --min-savings 5%',
    '--tune small',
  ),
  ...rewriting('recompress', 'docker', '--compression gzip --level 6'),
  ...rewriting('recompress', 'index', '--compression gzip --level 6'),
  ...unpacked('recompress', 'app', '--compression zstd --level 3', '--tune pull:100Mbit'),
  ...unpacked('recompress', 'docker', '--compression zstd'),

  ...rewriting(
    'slim',
    'app',
    '',
    '--all',
    '--preset docs,logs --last 4 --compression gzip --level 6',
    '--from-layer 3 --preset docs,logs --rule opt/data/s*',
    '-f plan.yaml',
  ),
  ...rewriting('slim', 'packed', '', '--last 4'),
  ...rewriting('slim', 'index', '', '--all'),
  ...unpacked('slim', 'app', '--all --compression zstd --level 3'),

  several('restore everything', [
    `prune oci:in:app oci:out:slim ${pruning}`,
    'restore oci:out:slim oci:out:new',
  ]),
  several('restore some paths', [
    `prune oci:in:app oci:out:slim ${pruning}`,
    'restore oci:out:slim oci:out:new --path opt/data/s* --path usr/share/**',
  ]),
  several('restore setuid bits', [
    'prune oci:in:app oci:out:slim --preset setuid',
    'restore oci:out:slim oci:out:new',
  ]),

  ...rewriting(
    'config',
    'app',
    '--env A=1 --unset-env PATH --user app --label a=b',
    '--entrypoint ["/bin/sh","-c"] --cmd exit --expose 80-82 --volume /data --healthcheck NONE --stop-signal int',
  ),
  ...rewriting('config', 'index', '--workdir /tmp --annotation c=d'),
  ...rewriting('config', 'docker', '--shell ["/bin/ash"] --author me'),
  ...rewriting('copy', 'app', '', '--label a=b --annotation c=d'),
  ...rewriting('copy', 'docker', ''),
  ...rewriting('copy', 'index', '', '--platform linux/arm64'),
  several('copy from an old archive', ['copy docker-archive:old.tar oci:out:new']),
  several('copy to an OCI archive', ['copy oci:in:app oci-archive:archive.tar:1 --jobs 1'], 'archive.tar'),
  several(
    'copy to a Docker archive',
    ['copy oci:in:app docker-archive:copied.tar:app:1 --jobs 1'],
    'copied.tar',
  ),
  several(
    'squash to a Docker archive',
    ['squash oci:in:docker docker-archive:squashed.tar:app:1 --last 3 --jobs 1'],
    'squashed.tar',
  ),
  several('export app', ['export oci:in:app rootfs.tar'], 'rootfs.tar'),
  several('export traced', ['export oci:in:traced rootfs.tar'], 'rootfs.tar'),
  several(
    'trace merge',
    ['trace merge TRACES/strace/f-y.txt TRACES/auditd.txt TRACES/stargz.json -o merged'],
    'merged',
  ),
  several('trace seccomp', ['trace seccomp TRACES/strace/f-all.txt -o profile'], 'profile'),
];
