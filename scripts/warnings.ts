/**
 * The meaning of each warning, for docs/errors.md. `npm run docs` reads it; a code without a line is a compile error.
 */
import type { WarningCode } from '../src/events.ts';

export const warningPages: Readonly<Record<WarningCode, string>> = {
  ATTESTATION_DROPPED:
    'An attestation (provenance, SBOM) was left out of the index, because the image that it is about has changed.',
  REFERRERS_LEFT:
    'Signatures or other artifacts refer to the source. They do not hold for the new digest and stay where they are (`--referrers copy` takes them along, with the old image). Or the source itself refers to another manifest (its `subject`), which the changed one does not.',
  FAMILY_CHANGED:
    'The manifest became an OCI manifest: Docker’s own format has no media type for zstd layers, and in OCI layouts and archives most programs read OCI manifests only. The digest changes, so signatures do not hold.',
  NOT_AN_IMAGE:
    'A row of the index is not an image: an artifact, a blob, or something of an unknown type. It was kept as it is.',
  LEFT_OUT:
    'The destination is a docker-archive, which holds one image. What the index of the source has beside it (attestations, artifacts, caches, annotations, a `subject`) is left out. An oci-archive holds all of it.',
  NAME_LEFT_OUT:
    'A name that the source has does not go into a docker-archive: Docker does not allow it (upper case in the repository, a digest), or it is a tag without a repository. `--name` gives another one.',
  HISTORY_MENDED:
    'The history of the image does not tell of each layer once. Where layers became one or went, it was mended as BuildKit mends it: of too many rows the uppermost no longer count; where some were missing, rows were added for the uppermost layers.',
  LAYOUT_UNKNOWN:
    'None of the images that `--previous` names states a layout of its layers, as `relayer` writes it. The layout was made from scratch; the next version can keep it.',
  LAYER_SKIPPED:
    'A layer cannot be read: it is of a type that ocislim does not know (foreign, encrypted), or damaged. It was kept as it is, or an HTML report lacks its files.',
  KEPT_FOR_LINK:
    'A file that a rule names stays, because a layer outside the selection has a hard link to it.',
  SCRATCH_SHORT:
    '`--order similar` finds too little room in `--max-scratch` (or no folder to write to), and reads a layer several times instead. The result is the same.',
  FORCED:
    'The pruned image, or that on its new base, may not run, for the reason given: `--force` went on all the same.',
  BASE_HIDDEN:
    'Layers of an application hide files of its new base: files that it took over from the old base and that the new one has otherwise (`/etc/passwd`, a library), files of its own, and what it deletes. The new base’s version of them, with its fixes, is not seen.',
  TRACE_UNREADABLE: 'Some lines of a trace are of no form that is known: what they tell is lost.',
  TRACE_DOUBTFUL:
    'The trace may be of another image: it names another digest, or programs that this image does not have. Both together are a reason to refuse.',
  PACKAGES_UNREAD:
    'A package database is of a form that ocislim cannot read, or damaged: its packages cannot stay whole, only what is needed of them stays, and they are missing in a bill of materials.',
  PACKAGES_LISTED:
    '`--package-db sync` leaves a package database as it is, for the reason given: it still lists packages of which no file is left.',
  FINDINGS_UNMATCHED:
    'Nothing in the image matches any finding of `--findings`: the scan may be of another image.',
  VEX_EMPTY:
    '`--vex` wrote no file, since no finding went away: an OpenVEX document has at least one statement.',
  INSECURE: 'Plain HTTP or an unverified certificate is used, as `--insecure` allows.',
  WINDOW_CAPPED:
    'zstd levels 20 to 22 would use a window that some clients refuse; ocislim stays within 8 MiB at the same effort.',
  FRAMES_UNREAD:
    'A bootable image (labels `containers.bootc` or `ostree.*`) gets layers in a format of which some clients read the first part only.',
  PLATFORM_TIE:
    'An index has several images for a platform that was named, and nothing tells which is better: the first one is taken.',
  RULE_UNUSED: 'A rule matches nothing in the image: perhaps a slip.',
  CACHE_OFF:
    'The cache (`--cache-dir`) cannot be written, or others can write into it; the work went on without that part of it.',
  REGISTRY_WARNING: 'The registry sent a warning of its own, repeated here.',
  FLEET_LEFT_OUT:
    'A tag of a registry is not planned: it names no image (an artifact, a chart), or none for the platforms of `--platform`.',
  FLEET_FAILED:
    'A repository or an image could not be read, for the reason given. The plan has the others, and the exit status is 4 (1 if there are none).',
  FILE_LEFT_OUT:
    'A file of this machine is of a kind that no layer holds (a socket), so the new layer is without it.',
  XATTRS_UNREAD:
    'Extended attributes of files, capabilities among them, are not in a new layer, since the program getfattr that reads them is not installed; `--no-xattrs` says that they are not wanted.',
  PROGRAM_MISSING:
    'The entrypoint, command or health check that an option or a plan sets is not a program in the result: containers would not start. Commands that read the headers of all layers look (`slim`, `prune`, `squash --all`, `build`); others, `config` above all, read no layer and cannot know.',
  ENVIRONMENT_USED:
    'A variable of the environment (`OCISLIM_USER`, `OCISLIM_ENV`, `OCISLIM_LABEL`) edits the config or the manifest of the image, as the option of that name would. If that is meant, the option on the command line says so without a warning; if not, remove the variable.',
  SETTING_IGNORED:
    'An option or the environment asks for something that ocislim does not do there: certificates are checked, whatever NODE_TLS_REJECT_UNAUTHORIZED says (--no-tls-verify is the way), --compression of copy is for docker-archive sources, and what an image does not have cannot be removed (--unset-env), and options for the files of a directory (--chown, --exclude) change no tar.',
};
