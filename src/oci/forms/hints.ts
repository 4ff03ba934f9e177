/**
 * Texts that people write for images in other tools, or by mistake, and what to write instead. Pure: texts decide, no file is
 * looked at. reference.ts asks before it takes a text for the name of an image in a registry.
 */
import { closestWord } from '../../closest-word.ts';
import { isDigest } from '../digest.ts';
import { isTag } from '../names.ts';

/** Why a text is not used, and what to write. Default advice: how references are written. */
export interface Hint {
  readonly why: string;
  readonly advice?: string;
}

/** Names of files that hold archives. */
const archiveName = /\.(?:tar|tgz|tzst|txz|tbz2?|tar\.[a-z0-9]{1,5})$/i;

/**
 * Returns what to write in the place of a text that is not a reference; null where the text may be one. `isLocal`: whether it begins
 * as a reference to a layout or an archive.
 */
export function hintFor(text: string, isLocal: boolean): Hint | null {
  for (const find of isLocal ? localFinders : finders) {
    const hint = find(text);
    if (hint !== null) return hint;
  }
  return null;
}

/** Removes slashes from the end. */
export function withoutSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}

/** Returns whether the name of a file says that it is an archive. */
export function isArchiveName(path: string): boolean {
  return archiveName.test(path);
}

type Finder = (text: string) => Hint | null;

const finders: readonly Finder[] = [
  ofSpace,
  ofUrl,
  ofScheme,
  ofTool,
  ofPath,
  ofCredentials,
  ofDigest,
  ofRegistryAlone,
  ofPrefixAlone,
];

const localFinders: readonly Finder[] = [ofSpace, ofScheme, ofHome];

function ofSpace(text: string): Hint | null {
  const trimmed = text.trim().replace(/^([a-z_-]+:(?:\/\/)?)\s+/i, '$1');
  if (trimmed === '') return { why: 'it is empty', advice: 'A variable of the shell may not be set.' };
  if (trimmed === text) return null;
  const advice = hintFor(trimmed, false)?.advice ?? `Write ${trimmed}`;
  return { why: 'there is white space where a part of it begins or ends', advice };
}

/** Web addresses: of registries, and of pages of Docker Hub, which name images by `/_/NAME` and `/r/NAME`. */
function ofUrl(text: string): Hint | null {
  const [, scheme, address = ''] = /^(https?):\/*(?:[^/@]*@)?(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return null;
  const why = `the form "${scheme.toLowerCase()}:" is not known here`;
  const page = /^hub\.docker\.com\/(?:_|r|layers)\/([^?#]+?)(?:\/tags)?\/?(?:[?#].*)?$/.exec(address)?.[1];
  const name = withoutSlashes(page ?? address).replace(/^(?:[^/]+)\/v2\//, (path) => path.slice(0, -3));
  if (isArchiveName(name)) return { why, advice: 'Download the file first, then name it by its path.' };
  if (name === '') return { why };
  const plain = scheme.toLowerCase() === 'http' ? ', with --insecure if the registry has no TLS' : '';
  return { why, advice: `Write ${name}${plain}.` };
}

/** `oci://` is a registry for Helm and a folder for others; every other scheme is unknown, `docker://` aside. */
function ofScheme(text: string): Hint | null {
  const [, scheme, path = ''] = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*:[^/@]*@)?(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || scheme === 'docker') return null;
  const name = scheme.toLowerCase();
  const why = `the form "${name}://" is not known here`;
  switch (name) {
    case 'oci':
      return path.startsWith('/')
        ? { why, advice: `Write oci:${path}` }
        : { why, advice: `Write ${path} for an image in a registry, or oci:${path} for a folder.` };
    case 'oci-archive':
    case 'docker-archive':
      return { why, advice: `Write ${name}:${path}` };
    case 'docker':
      return { why, advice: `Write docker://${path}` };
    case 'docker-image':
      return { why, advice: `Write ${path}` };
    default:
      return ofTool(`${name}:${path}`) ?? { why };
  }
}

/** Forms by their prefixes, which no name of an image in use has: those of other tools, and ours in another spelling. */
const tools: readonly (readonly [prefixes: string, hint: (prefix: string, name: string) => Hint])[] = [
  [
    'docker-archive oci-archive',
    (prefix, path) => known(prefix, `Write ${prefix}:${path.replace(/^\/\//, '')}`),
  ],
  ['docker-daemon docker-desktop', ofDocker],
  ['podman containers-storage buildah', ofPodman],
  ['containerd ctr nerdctl', ofContainerd],
  ['oci-dir oci-layout layout', (prefix, path) => known(prefix, `Write oci:${path}`)],
  ['tarball tar archive file docker-tar docker-tarball', (prefix, path) => known(prefix, archiveForms(path))],
  [
    'dir',
    (prefix, path) =>
      known(prefix, `Make a layout of it: skopeo copy dir:${path} oci:LAYOUT:TAG; then write oci:LAYOUT:TAG`),
  ],
  ['sif ostree atomic singularity library shub oras helm image', (prefix) => known(prefix)],
];

/** Prefixes that are long enough to be recognised with a letter more, less or other. */
const mistyped = ['docker-archive', 'oci-archive', 'docker-daemon', 'containers-storage', 'oci-layout'];

function ofTool(text: string): Hint | null {
  const [, written = '', name = ''] =
    /^([a-z][a-z0-9._ -]*):(.*)$/is.exec(text.replace(/^((?:oci|docker)[._-]?archive)=/i, '$1:')) ?? [];
  // A port makes a host of what stands before it: `podman:5000/app`.
  if (written === '' || /^[0-9]+\//.test(name) || /^docker:\/\/(?!\/)/.test(text)) return null;
  const prefix = prefixMeant(written);
  const [, hint = null] = tools.find(([prefixes]) => prefixes.split(' ').includes(prefix)) ?? [];
  if (hint !== null) return misspelt(written, prefix, hint(prefix, name), text);
  if (prefix === 'oci' && written !== prefix) return { why: unknown(written), advice: `Write oci:${name}` };
  if (prefix === 'docker' && name.startsWith('/'))
    return known(written, `Write docker://${name.replace(/^\/+/, '')}`);
  if (prefix === 'docker' && isArchiveName(name)) return known(written, archiveForms(name));
  // `docker:27` and `registry:2` are images; what has more parts is another tool's form.
  if (!/[/:]/.test(name) || name.startsWith('//')) return null;
  if (prefix === 'docker') return ofDocker(prefix, name);
  return prefix === 'registry' ? known(prefix, `Write ${name}`) : null;
}

/** Returns the prefix that was meant: in lower case, with its hyphen, without a typing error. */
function prefixMeant(written: string): string {
  const joined = joinedWord(written);
  const words = tools.flatMap(([prefixes]) => prefixes.split(' '));
  const same = words.find((word) => joinedWord(word) === joined);
  if (same !== undefined || joined.length < 9) return same ?? joined;
  const near = closestWord(joined, mistyped.map(joinedWord));
  const isNear = near !== null && Math.abs(near.length - joined.length) <= 2;
  return mistyped.find((word) => isNear && joinedWord(word) === near) ?? joined;
}

function joinedWord(word: string): string {
  return word.toLowerCase().replaceAll(/[._ -]/g, '');
}

/** Adds how an image of this name is written, where there may be one. */
function misspelt(written: string, prefix: string, { why, advice }: Hint, text: string): Hint {
  const [, name = ''] = text.split(/:(.*)/s);
  if (written === prefix || advice === undefined) return advice === undefined ? { why } : { why, advice };
  const mayBeImage = written === written.toLowerCase() && isTag(name) && !isArchiveName(name);
  const image = mayBeImage ? `, or docker://${text} for an image in a registry` : '';
  return { why: written.toLowerCase() === prefix ? why : unknown(written), advice: `${advice}${image}` };
}

function unknown(prefix: string): string {
  return `the form "${prefix}:" is not known here`;
}

function known(prefix: string, advice?: string): Hint {
  const why = unknown(prefix);
  return advice === undefined ? { why } : { why, advice };
}

function ofDocker(_: string, name: string): Hint {
  const image = name || 'NAME';
  return {
    why: 'ocislim works without a daemon',
    advice: pipes(`docker save ${image}`, 'docker-archive:-', `:${image} | docker load`),
  };
}

function ofPodman(_: string, name: string): Hint {
  // Before the name may stand where the storage is: `[overlay@/var/lib/containers]app`.
  const image = name.replace(/^\[[^\]]*\]/, '') || 'NAME';
  return {
    why: "ocislim does not read podman's local storage",
    advice: pipes(`podman save ${image}`, 'docker-archive:-', `:${image} | podman load`),
  };
}

function ofContainerd(_: string, name: string): Hint {
  const image = name || 'NAME';
  return {
    why: "ocislim does not read containerd's store",
    advice: pipes(`ctr images export - ${image}`, 'oci-archive:-', `:${image} | ctr images import -`),
  };
}

/** Writes how an image comes out of another program, and into it, through a pipe. */
function pipes(save: string, form: string, load: string): string {
  return `To read it: ${save} | ocislim COMMAND ${form} … To write it: ocislim COMMAND … ${form}${load}`;
}

/** Shells replace "~" at the beginning of a word only, so a folder of this name would be meant. */
function ofHome(text: string): Hint | null {
  const [, form = '', rest = null] = /^([a-z-]+:)~((?:[/:@].*)?)$/s.exec(text) ?? [];
  if (rest === null) return null;
  return {
    why: 'the shell does not replace "~" here, and it is not the name of a folder',
    advice: `Write ${form}"$HOME"${rest}, or ${form}./~${rest} for a folder of this name.`,
  };
}

/** Paths: by how they begin, or by the name of an archive before a name in it. Docker Hub has no such names. */
function ofPath(text: string): Hint | null {
  if (text.startsWith('~')) {
    const advice = `Write oci:"$HOME"${text.replace(/^~[^/]*/, '')}`;
    return { why: 'it is a path, which the shell did not replace', advice };
  }
  const [path = ''] = text.split(/[:@]/, 1);
  const isArchive = isArchiveName(path);
  const isPath = /^(?:\/|\.{1,2}(?:\/|$)|[A-Za-z]:\\|\.?\\)/.test(text);
  const hasHost = /^(?:[a-z0-9][a-z0-9-]*[.:][a-z0-9.:-]*|localhost)\//i.test(text);
  // A folder may look like a host, but neither has a port nor do its files have tags.
  const mayBeImage = hasHost && (path !== text || text.startsWith('localhost/'));
  if (!isPath && (!isArchive || mayBeImage)) return null;
  return {
    why: 'it is a path, and does not say of what',
    advice: isArchive
      ? archiveForms(text) + (hasHost ? ` For an image in a registry write docker://${text}` : '')
      : `Write oci:${text} for a folder that is an OCI layout, docker-archive:${text} for a file that docker save wrote.`,
  };
}

function archiveForms(path: string): string {
  return `Write docker-archive:${path} for a file of docker save or podman save, oci-archive:${path} for an OCI layout in a tar.`;
}

function ofCredentials(text: string): Hint | null {
  const [, rest = null] = /^(?:docker:\/\/)?[^/@]+@([^@/]+\/.+)$/s.exec(text) ?? [];
  if (rest === null) return null;
  return {
    why: 'credentials are no part of a reference',
    advice: `Write ${rest}, and give --creds (or --src-creds, --dest-creds).`,
  };
}

function ofDigest(text: string): Hint | null {
  if (!isDigest(text) && !/^[0-9a-f]{64}$/.test(text)) return null;
  const digest = text.includes(':') ? text : `sha256:${text}`;
  return { why: 'it is a digest without a repository', advice: `Write REPOSITORY@${digest}` };
}

/** A host that is known by its look, with or without a port, and nothing else. */
const hostAlone =
  /^(?:localhost|(?:[a-z0-9-]+\.)+(?:io|com|org|net|dev|local|internal|lan|example|test)|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9a-f:]+\])(?::[0-9]{2,5})?\/*$/i;

/** Returns whether a text begins with a host that is known by its look. */
export function beginsWithHost(text: string): boolean {
  return text.includes('/') && hostAlone.test(text.slice(0, text.indexOf('/')));
}

function ofRegistryAlone(text: string): Hint | null {
  const name = text.replace(/^docker:\/\//, '');
  if (!hostAlone.test(name)) return null;
  return {
    why: 'it names a registry, and no repository in it',
    advice: `Write ${withoutSlashes(name)}/REPOSITORY:TAG`,
  };
}

/** Standard input without a form, and forms without a path. */
function ofPrefixAlone(text: string): Hint | null {
  if (text === '-')
    return {
      why: 'it does not say in which form the image comes',
      advice: 'Write docker-archive:- for what docker save writes, oci-archive:- for an OCI layout in a tar.',
    };
  if (!/^(?:oci|oci-archive|docker-archive)$/.test(text)) return null;
  return { why: 'the path is missing', advice: `Write ${text}:${text === 'oci' ? 'DIR' : 'FILE'}` };
}
