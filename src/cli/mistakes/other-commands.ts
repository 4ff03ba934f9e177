/**
 * Commands of other tools (skopeo, crane, regctl, docker, podman, buildah, umoci, dive, slim, oras, nerdctl), each with what does
 * the same here, or with the tool that does it. `unknown.ts` reads the table; a test runs what it suggests through the parser.
 */

const layers =
  '"ocislim history IMAGE" lists the layers with the instructions that made them; "ocislim inspect IMAGE" shows manifest and config.';
const waste =
  'Use "ocislim analyze IMAGE": what it holds, what it wastes, by which instruction, and the fix.';
const gates = 'Use "ocislim check IMAGE": gates of .ocislim.yaml, .dive-ci or options.';
const browsing =
  'Use "ocislim explore IMAGE" on a terminal ("ocislim explore IMAGE --keymap dive" has the keys of dive), and "ocislim analyze IMAGE" elsewhere.';
const credentials =
  'Log in with docker, podman or skopeo: ocislim reads the files that they write. Or use --creds USER:PASSWORD.';
const tags =
  'Use "skopeo list-tags docker://REPOSITORY", "crane ls REPOSITORY" or "regctl tag ls REPOSITORY".';
const files =
  '"ocislim ls IMAGE PATH" lists files of an image, with --layer N those of one layer. Tags of a repository: "skopeo list-tags docker://REPOSITORY" or "crane ls REPOSITORY".';
const raw =
  'Use "ocislim inspect IMAGE --raw" for the manifest or index, "ocislim inspect IMAGE --config" for the config.';
const deletion =
  'ocislim removes no image: use "skopeo delete docker://IMAGE", "crane delete IMAGE" or "regctl tag rm IMAGE".';
const edit =
  'Use "ocislim config SRC DST --env K=V --label K=V": "ocislim help config" lists what it changes.';
const building =
  'ocislim builds no image of a Dockerfile: use docker, buildah or kaniko, then "ocislim slim SRC DST". "ocislim build DST --layer DIR:/PATH" makes an image of files.';
const running =
  'ocislim runs an image only to record it: "ocislim trace record --image IMAGE" says what its program uses, "ocislim slim SRC DST --record" prunes the rest.';
const debugging =
  '"ocislim prune SRC DST --trace FILE --debug-tag REF" writes a second image with what was removed; "ocislim restore SRC DST" puts files back.';
const saving =
  'Use "ocislim copy IMAGE docker-archive:FILE", which "docker load" reads; oci:DIR:tag and oci-archive:FILE:tag are OCI layouts.';
const recompression = 'Use "ocislim recompress SRC DST --compression zstd".';
const signing =
  'Give --sign-key FILE to a command that writes an image; "cosign sign IMAGE" signs one that is there.';
const scanning =
  'Write a bill of materials and scan that: "ocislim sbom IMAGE -o app.cdx.json", then "grype sbom:app.cdx.json" or "trivy sbom app.cdx.json".';
const billing = 'Use "ocislim sbom IMAGE -o FILE.cdx.json", or FILE.spdx.json.';
const appending = 'Use "ocislim append SRC DST --layer DIR:/PATH".';

/** Words that mean the same, and what to say of them. */
const rows: readonly (readonly [words: string, advice: string])[] = [
  ['image show-image info layers layer stat list-layers describe', layers],
  ['analyse xray waste efficiency', waste],
  ['audit lint gate policy hadolint dockle dive-ci conftest', gates],
  ['dive explorer browse browser tui ui ncdu', browsing],
  ['tags list-tags list-images repo catalog search repos images', tags],
  ['list files find dir', files],
  ['show type print read-file get-file less more view head tail', 'Use "ocislim cat IMAGE PATH".'],
  ['login logout auth signin log-in', credentials],
  [
    'push',
    'Use "ocislim copy SRC REGISTRY/NAME:TAG": SRC is oci:DIR:tag, oci-archive:FILE or docker-archive:FILE.',
  ],
  ['pull fetch download', 'Use "ocislim copy IMAGE oci:DIR:tag", or docker-archive:FILE for "docker load".'],
  ['clone mirror sync retag tag additional-tag promote', 'Use "ocislim copy SRC DST", for each image.'],
  ['cp', 'Use "ocislim extract IMAGE PATH DIR" for files, "ocislim copy SRC DST" for images.'],
  ['save archive pack', saving],
  [
    'load',
    'Use "docker load -i FILE" or "podman load -i FILE". To a registry: "ocislim copy docker-archive:FILE IMAGE".',
  ],
  [
    'import',
    'Use "docker import FILE" for a tar of files; "ocislim copy docker-archive:FILE IMAGE" for an image.',
  ],
  ['flatten merge-layers squash-all onelayer', 'Use "ocislim squash SRC DST --all".'],
  ['merge-last squash-last', 'Use "ocislim squash SRC DST --last 3".'],
  ['convert compress zstd gzip repack transcode recompression reencode', recompression],
  ['decompress uncompress', 'Use "ocislim recompress SRC DST --compression none".'],
  ['bake buildx from dockerfile kaniko commit', building],
  ['base change-base swap-base new-base onto', 'Use "ocislim rebase SRC DST --new-base REF".'],
  ['delete del rm rmi remove untag gc garbage-collect purge cleanup', deletion],
  [
    'clean clean-cache prune-files strip remove-files rm-files exclude',
    'Use "ocislim prune SRC DST --rule GLOB".',
  ],
  ['manifest manifests index get-manifest raw', raw],
  ['mutate mod modify edit set annotate label', edit],
  ['add insert add-layer attach', appending],
  ['digest', 'Use "ocislim inspect IMAGE --format {{.Digest}}".'],
  [
    'validate verify-image',
    'Use "ocislim verify A B": it proves that an image is another one, or another one less what was announced.',
  ],
  [
    'compare cmp difference differences delta container-diff diffoci scout changes',
    'Use "ocislim diff A B": it lists what differs, and what an update downloads.',
  ],
  [
    'unpack untar rootfs mount flatten-to-tar',
    'Use "ocislim extract IMAGE / DIR" for files, "ocislim export IMAGE rootfs.tar" for a tar.',
  ],
  ['minify shrink optimize optimise reduce slimify minimize diet', 'Use "ocislim slim SRC DST".'],
  [
    'mint docker-slim slimtoolkit dslim',
    'Use "ocislim slim SRC DST --record": it runs the image, prunes what it did not use, and publishes what was seen working.',
  ],
  ['rechunk split split-layers', 'Use ocislim relayer: layers by package, of which an update changes few.'],
  ['run exec create start test probe profile', running],
  ['debug debug-image', debugging],
  ['undo revert unprune undelete', 'Use "ocislim restore SRC DST".'],
  ['sign cosign attest sign-blob', signing],
  ['referrers discover artifact tree', 'Use "ocislim inspect IMAGE --referrers" or "oras discover IMAGE".'],
  ['scan cves trivy grype vulnerability vulnerabilities vuln', scanning],
  ['syft bom appbom bill materials packages licenses licences cyclonedx spdx', billing],
  ['serve server daemon', 'Use "ocislim registry serve".'],
  ['preset list-presets rules', 'Use "ocislim presets".'],
  ['ping', 'Use "regctl registry config" or curl with the address of the registry.'],
  ['completions autocomplete bash-completion', 'Use "ocislim completion bash", or zsh or fish.'],
  ['usage commands man options', 'Use "ocislim help".'],
  ['ver about', 'Use "ocislim version".'],
];

/** What to say of each word. */
export const otherCommands: ReadonlyMap<string, string> = new Map(
  rows.flatMap(([words, advice]) => words.split(' ').map((word) => [word, advice] as const)),
);
