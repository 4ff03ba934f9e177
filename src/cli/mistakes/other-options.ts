/**
 * Options of other tools (skopeo, crane, regctl, docker, docker-squash, slim, dive, buildx, buildah, kaniko, umoci, nerdctl, oras),
 * each with what does the same here. `unknown.ts` reads the table; a test holds that what it suggests exists.
 */

import type { Advice, Row } from './advice.ts';
import { slimToolkitOptions } from './slimtoolkit-options.ts';

const stays = 'Leave it out: a manifest keeps its type (zstd layers make it OCI).';
const onbuild = 'ocislim does not change it: buildah config does.';
const lazy = 'ocislim does not write lazy formats: "nerdctl image convert" does.';
const unverified = 'Write --no-tls-verify (unverified certificates), or --insecure (plain HTTP too).';
const second = 'The destination is the second argument: ocislim copy SRC DST.';
const secondOrReport =
  'The destination is the second argument: oci-archive:FILE:tag, docker-archive:FILE or oci:DIR:tag. A report goes to --report FILE.json.';
const outputs =
  'output -o out output-path out-file outfile output-file save archive tarball tar-path tar oci-layout-path ocidir';
const destinations = 'dest dst destination to target-image target-ref new-image dest-image -d';

/** Makes a row of words for which there is an option of `config` and of the commands that rewrite. */
function editing(words: string, option: string, value: string): Row {
  return [words, `Write --${option} ${value}.`, option, `Use "ocislim config SRC DST --${option} ${value}".`];
}

const compression: readonly Row[] = [
  [
    'zstd',
    'Write --compression zstd.',
    'compression',
    'Use "ocislim recompress SRC DST --compression zstd".',
  ],
  [
    'gzip gz',
    'Write --compression gzip.',
    'compression',
    'Use "ocislim recompress SRC DST --compression gzip".',
  ],
  [
    'uncompress uncompressed decompress dest-decompress no-compress no-compression dest-oci-accept-uncompressed-layers plain',
    'Write --compression none.',
    'compression',
    'Use "ocislim recompress SRC DST --compression none".',
  ],
  [
    'compress dest-compress compressor compression-format compression-type compression-algorithm compress-format dest-compress-format layer-compress compression-method algorithm -Z',
    'Write --compression FORMAT: gzip, zstd or none.',
    'compression',
    'Use "ocislim recompress SRC DST --compression zstd".',
  ],
  [
    'compress-level dest-compress-level zstd-compression-level gzip-compression-level zstd-level gzip-level quality best fast -9',
    'Write --compression FORMAT --level N.',
    'level',
    'Use "ocislim recompress SRC DST --compression zstd --level 19".',
  ],
  [
    'force-compression dest-force-compress-format force-compress',
    'Leave it out: --compression applies to every layer that it changes.',
  ],
  ['estargz stargz zstdchunked zstd-chunked soci nydus overlaybd erofs lazy oci-lazy', lazy],
];

const removing: readonly Row[] = [
  [
    'exclude exclude-path exclude-pattern exclude-paths remove remove-path remove-paths remove-file delete rm ignore ignore-path strip strip-file layer-strip-file skip drop pattern',
    'Write --rule GLOB.',
    'rule',
    'Use "ocislim prune SRC DST --rule GLOB".',
  ],
  [
    'exclude-from exclude-file ignorefile ignore-file dockerignore rules-file rule-file filter-file',
    'Write --rules FILE.',
    'rules',
    'Use "ocislim prune SRC DST --rules FILE".',
  ],
  [
    'include include-path include-paths preserve-path preserve-paths keep-path keep-paths include-dir include-pattern allow whitelist',
    'Write --keep GLOB.',
    'keep',
    'Use "ocislim prune SRC DST --rule GLOB --keep GLOB".',
  ],
  [
    'include-path-file include-paths-file preserve-path-file keep-from include-from include-file',
    'Write --keep-file FILE.',
    'keep-file',
  ],
  ['filter only match select', 'Write --rule GLOB to remove, --keep GLOB to keep.', 'rule'],
  ['presets profile preset-name', 'Write --preset NAME,…; "ocislim presets" lists them.', 'preset'],
  [
    'no-docs no-doc docs strip-docs',
    'Write --preset docs.',
    'preset',
    'Use "ocislim prune SRC DST --preset docs".',
  ],
];

const selecting: readonly Row[] = [
  [
    'all -a all-layers flatten squash-all full',
    'Leave it out: all layers are selected unless --layers or --base says otherwise, and all platforms unless --platform does.',
  ],
  [
    'all-platforms multi-arch all-arch all-architectures index-only all-images all-os system',
    'Leave it out: all platforms are taken unless --platform selects some.',
  ],
  [
    'override-os override-arch override-variant os arch architecture variant target-platform custom-platform -p',
    'Write --platform OS/ARCH[/VARIANT].',
    'platform',
  ],
  [
    'from-layer-id from from-id start-layer -f',
    'Write --from-layer N or --from-layer DIGEST.',
    'from-layer',
    'A plan goes to "ocislim slim SRC DST -f plan.yaml"; layers are chosen by --from-layer of squash.',
  ],
  [
    'from base-image -f',
    'The base is the first argument: ocislim build BASE DST --layer DIR:/PATH. ocislim runs no Dockerfile.',
    'chown',
  ],
  ['last-n-layers last-n top topmost number-of-layers squash-last', 'Write --last N.', 'last'],
  ['base-image base-name base-ref base-digest', 'Write --base REF.', 'base'],
  ['layer layer-index layer-range range layer-rm-index', 'Write --layers A..B.', 'layers'],
  [
    'max-layers max-layer target-layers num-layers layer-limit',
    'Write --max-layers N.',
    'max-layers',
    'Use "ocislim squash SRC DST --max-layers N".',
  ],
  ['-l', 'Write --last N to select layers, --label K=V for a label.', 'last'],
  ['-l', 'Write --level N for a level, --label K=V for a label.', 'level'],
  ['-l', 'Write --label K=V.', 'label'],
  [
    'cleanup load-image -c tmp-dir-keep',
    'Leave it out: ocislim needs no daemon, and no image is loaded or left.',
  ],
  [
    'message -m commit-message comment',
    'Leave it out: the history of the new layer names the layers that it was made of.',
  ],
];

const results: readonly Row[] = [
  ['json -J raw', 'Write --format json.', 'format'],
  ['yaml table md markdown html', 'Write --report FILE.md or --report FILE.json.', 'report'],
  ['output-format out-format', 'Write --format json or --format text.', 'format'],
  [outputs, secondOrReport, 'digestfile'],
  [destinations, second, 'digestfile'],
  [
    `${outputs} ${destinations}`,
    'The folder is the third argument: ocislim extract IMAGE PATH DIR.',
    'strip',
  ],
  [outputs, secondOrReport],
  [destinations, second],
  [
    'src source input in image target from-image image-name -i',
    'The image is the first argument: ocislim slim IMAGE DST.',
  ],
  ['additional-tag new-tag repo-tag repository image-tag target-tag', 'Write --tag REF.', 'tag'],
  ['name', 'Write the name behind the file: docker-archive:FILE:name:tag, oci-archive:FILE:tag.'],
  [
    '-n no-push dryrun simulate just-print what-if plan noop check-only test',
    'Write --dry-run.',
    'dry-run',
    'Leave it out: this command writes no image.',
  ],
  [
    'force yes -y overwrite replace -w write-over clobber',
    'Leave it out: a destination is written over, and the source only with --in-place.',
  ],
  ['push', 'Leave it out: the result goes to the destination.'],
  ['load', 'Write to docker-archive:FILE, then "docker load -i FILE".'],
  ['image-id-file iid id-file', 'Write --iidfile FILE.', 'iidfile'],
  [
    'digest-only print-digest image-refs image-name-with-digest-file',
    'Write --digestfile FILE.',
    'digestfile',
  ],
  [
    'timestamp rewrite-timestamp source-date-epoch created time reproducible config-time layer-time',
    'Set the environment: SOURCE_DATE_EPOCH=SECONDS. Without it nothing gets the time of the run.',
  ],
  ['oci to-oci docker to-docker oci-mediatypes media-type image-format manifest-type', stays],
  [
    'lowestefficiency',
    'Write --lowest-efficiency RATIO.',
    'lowest-efficiency',
    'Use "ocislim check IMAGE --lowest-efficiency 0.9".',
  ],
  [
    'highestwastedbytes',
    'Write --highest-wasted-bytes SIZE.',
    'highest-wasted-bytes',
    'Use "ocislim check IMAGE --highest-wasted-bytes 20MB".',
  ],
  [
    'highestuserwastedpercent',
    'Write --highest-user-wasted-percent RATIO.',
    'highest-user-wasted-percent',
    'Use "ocislim check IMAGE --highest-user-wasted-percent 0.1".',
  ],
  [
    'ci-config policy-file rules-config',
    'Write --config FILE.',
    'lowest-efficiency',
    'Use "ocislim check IMAGE --config FILE".',
  ],
  ['ci', 'Leave it out: check asks nothing.', 'lowest-efficiency', 'Use "ocislim check IMAGE".'],
  ['verify check validate', 'Use "ocislim verify A B" afterwards, or --verify-with COMMAND.', 'verify-with'],
  ['bom', 'Write --sbom FILE.cdx.json, or use "ocislim sbom IMAGE".', 'sbom'],
  [
    'provenance attest attestation',
    'Write --provenance=attach, and --sign-key FILE to sign it.',
    'provenance',
    'The commands that write an image have --provenance; "cosign attest" states something of one that is there.',
  ],
  [
    'sign sign-by sign-key sign-by-sigstore sign-identity key',
    'Write --sign-key FILE.',
    'sign-key',
    'The commands that write an image have --sign-key FILE; "cosign sign" signs one that is there.',
  ],
  [
    'remove-signatures preserve-digests insecure-policy policy signature-policy registries.d',
    'Leave it out: a copy changes no byte, and signatures stay with the source.',
  ],
  [
    'referrers include-referrers with-referrers recursive -r',
    'ocislim copies none yet: use "regctl image copy --referrers" or "oras copy -r".',
  ],
];

const reproducible = 'Write --ignore mtime,order,pax,layers,history,created.';
const comparing: readonly Row[] = [
  ['semantic mode', reproducible, 'ignore', 'Use "ocislim diff A B --ignore mtime,order,pax,layers".'],
  [
    'ignore-timestamps ignore-mtime ignore-file-mtime ignore-time skip-mtime ignore-history ignore-file-order ignore-order ignore-owner ignore-mode ignore-created ignore-labels ignore-config',
    'Write --ignore with what to leave out: --ignore mtime,history,order.',
    'ignore',
    'Use "ocislim diff A B --ignore mtime,history,order".',
  ],
  ['extra-ignore-files', "Write --path GLOB and --path '!GLOB' for the paths to compare.", 'path'],
  ['report-dir', 'Write --report FILE.json for all differences.', 'ignore'],
  ['type types -t', 'Leave it out: files, packages, history and sizes are all compared.', 'ignore'],
  ['to to-env to-latest', 'The image after is the second argument: ocislim diff A B.', 'ignore'],
  [
    'ignore-base ignore-unchanged only-fixed only-severity only-package-type only-vex-affected',
    'ocislim knows no vulnerabilities: it lists files, packages and layers that differ.',
    'ignore',
  ],
  [
    'exitcode fail-on-diff fail error-exit-code',
    'Write --exit-code: 3 where the images differ.',
    'exit-code',
  ],
];

const configuring: readonly Row[] = [
  editing('env -e set-env new-env add-env', 'env', 'K=V'),
  editing('unset-env remove-env env-rm delete-env', 'unset-env', 'NAME'),
  editing('entrypoint new-entrypoint config-entrypoint', 'entrypoint', 'COMMAND'),
  editing('cmd new-cmd config-cmd', 'cmd', 'COMMAND'),
  editing('user config-user', 'user', 'USER'),
  editing('workdir new-workdir workingdir working-dir config-workingdir', 'workdir', 'DIR'),
  editing('expose exposed-ports new-expose expose-add port', 'expose', 'PORT'),
  editing('unexpose remove-expose expose-rm', 'unexpose', 'PORT'),
  editing('volume volumes new-volume volume-add config-volume', 'volume', 'DIR'),
  editing('unset-volume remove-volume volume-rm', 'unset-volume', 'DIR'),
  editing('unset-label remove-label label-rm', 'unset-label', 'KEY'),
  editing('stop-signal stopsignal config-stopsignal', 'stop-signal', 'SIGNAL'),
  editing('healthcheck', 'healthcheck', 'CHECK'),
  editing('shell', 'shell', 'JSON'),
  editing('author', 'author', 'NAME'),
  [
    'image-overrides config',
    'Write what changes: --entrypoint, --cmd, --env, --user, --workdir, --expose, --volume, --label.',
    'entrypoint',
    'Use "ocislim config SRC DST --entrypoint COMMAND".',
  ],
  ['onbuild', onbuild],
  ['labels set-label new-label config-label', 'Write --label K=V.', 'label'],
  ['annotations manifest-annotation', 'Write --annotation K=V.', 'annotation'],
  ['append add add-layer layer-add append-layer', 'Use "ocislim append SRC DST --layer DIR:/PATH".', 'layer'],
  [
    'rebase new-base old-base rebase-ref new_base old_base',
    'Write --new-base REF, and --old-base REF where the image does not say it.',
    'new-base',
    'Use "ocislim rebase SRC DST --new-base REF".',
  ],
  [
    'build-arg context dockerfile no-cache-filter stage',
    'ocislim builds no image of a Dockerfile: use docker, buildah or kaniko; "ocislim build" makes an image of files.',
  ],
];

const registries: readonly Row[] = [
  [
    'src-tls-verify dest-tls-verify insecure-registry insecure-registries skip-tls-verify skip-tls-verify-registry skip-tls-verify-pull insecure-pull tlsverify tls no-verify-ssl no-check-certificate src-insecure dest-insecure -k',
    unverified,
  ],
  [
    'plain-http http src-plain-http dest-plain-http from-plain-http to-plain-http no-tls allow-http',
    'Write --insecure.',
  ],
  [
    'username password password-stdin -u registry-username registry-password login dest-username dest-password src-username src-password token registry-token registry-user',
    'Write --creds USER:PASSWORD, --src-creds or --dest-creds; OCISLIM_CREDS hides it from other users.',
  ],
  [
    'no-creds src-no-creds dest-no-creds anonymous',
    'Leave it out: without credentials for a registry, requests are anonymous.',
  ],
  [
    'src-authfile dest-authfile registry-config docker-config config-json from-registry-config to-registry-config src-registry-token dest-registry-token identity-token',
    'Write --authfile FILE.',
  ],
  [
    'src-cert-dir dest-cert-dir ca-file cacert cert cert-file key-file tlscacert tlscert registry-certificate ca cert-path',
    'Write --cert-dir DIR.',
  ],
  ['registry-mirror mirrors from-mirror', 'Write --mirror HOST=MIRROR.'],
  [
    'retry retries retry-delay max-retries push-retry image-download-retry retry-count',
    'Write --retry-times N.',
  ],
  ['command-timeout request-timeout connect-timeout', 'Write --timeout SECONDS.'],
];

const working: readonly Row[] = [
  [
    'threads parallel parallelism concurrency workers cpus -T max-parallelism image-parallel-copies max-concurrent-downloads max-concurrent-uploads req-concurrent processes num-workers',
    'Write --jobs N.',
  ],
  ['cache cache-from cache-to cachedir cache-path cache-repo', 'Write --cache-dir DIR.'],
  ['no-cache', 'Leave it out: without --cache-dir nothing is kept.'],
  [
    'tmp-dir tmpdir temp-dir tmp work-dir workdir-tmp root-dir storage-driver',
    'Set the environment: TMPDIR=DIR.',
  ],
  ['debug log-level loglevel log verbosity -D trace-log vv -vv', 'Write --verbose.'],
  ['silent -s no-output', 'Write --quiet.'],
  ['color colour no-color no-colour ansi', 'Set the environment: NO_COLOR=1 or FORCE_COLOR=1.'],
  ['version-info', 'Use "ocislim version".'],
  ['usage man -?', 'Use "ocislim help".'],
];

/**
 * What to say of each option: long ones without dashes, short ones with their dash. Of several rows for a word the first
 * counts whose option the command has.
 */
export const otherOptions: ReadonlyMap<string, readonly Advice[]> = grouped(
  [slimToolkitOptions, comparing, compression, removing, selecting, results, configuring, registries, working]
    .flat()
    .flatMap(([words, say, option, otherwise]) =>
      words.split(' ').map((word): [string, Advice] => [
        word,
        {
          say,
          ...(option === undefined ? {} : { option }),
          ...(otherwise === undefined ? {} : { otherwise }),
        },
      ]),
    ),
);

function grouped(rows: readonly (readonly [word: string, advice: Advice])[]): Map<string, Advice[]> {
  const byWord = Map.groupBy(rows, ([word]) => word);
  return new Map([...byWord].map(([word, found]) => [word, found.map(([, advice]) => advice)]));
}
