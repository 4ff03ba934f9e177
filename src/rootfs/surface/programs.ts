/**
 * The table of programs that are part of the attack surface, by their names. `surveyFiles` asks it for every program of an image.
 */

/** What an attacker who has entered a container can use a program for. */
export type ProgramKind = 'shell' | 'package-manager' | 'interpreter' | 'compiler' | 'network-tool';

/** Names without versions: `python` stands for `python3.11` as well. */
const names: Readonly<Record<ProgramKind, string>> = {
  shell:
    'sh bash rbash dash ash zsh rzsh fish ksh rksh ksh93 mksh lksh pdksh oksh yash csh tcsh bsd-csh sash hush ' +
    'elvish nu pwsh xonsh static-sh bash-static zsh-static mksh-static busybox toybox toolbox',
  'package-manager':
    'apt apt-get apt-cache apt-cdrom apt-config apt-key apt-mark aptitude dpkg dpkg-deb dpkg-divert dpkg-preconfigure ' +
    'dpkg-query dpkg-reconfigure dpkg-split dpkg-statoverride dpkg-trigger ' +
    'apk rpm rpmdb rpmkeys yum dnf microdnf tdnf zypper pacman pacman-key opkg xbps-install emerge ' +
    'nix nix-env guix snap flatpak brew conda mamba micromamba ' +
    'pip pipx easy_install uv poetry pdm npm npx corepack yarn yarnpkg pnpm pnpx gem bundle bundler cpan cpanm ' +
    'composer pear pecl cargo luarocks nuget cabal opam',
  interpreter:
    'python pypy micropython ipython perl ruby jruby node nodejs deno bun qjs php php-cgi php-fpm lua luajit java jshell jjs ' +
    'groovy dotnet mono awk gawk mawk nawk original-awk busybox-awk tclsh wish expect guile erl escript elixir iex ' +
    'R Rscript julia octave racket sbcl gjs osascript',
  compiler:
    'cc c++ c89 c99 gcc g++ cpp clang clang++ tcc gfortran go gofmt rustc javac kotlinc ghc ocamlopt as ld ld.bfd ld.gold ' +
    'ld.lld lld nasm make gmake cmake ninja',
  'network-tool':
    'curl wget aria2c nc ncat netcat nc.openbsd nc.traditional socat ssh scp sftp sshd dropbear telnet ftp lftp tftp rsync ' +
    'nmap tcpdump dig nslookup host ping traceroute rsh rlogin',
};

const kinds: ReadonlyMap<string, ProgramKind> = new Map(
  (Object.keys(names) as ProgramKind[]).flatMap((kind) => names[kind].split(' ').map((name) => [name, kind])),
);

/** Returns the names of a kind, without versions. */
export function programsOf(kind: ProgramKind): readonly string[] {
  return names[kind].split(' ');
}

const triplet =
  '(?:x86_64|i[3-6]86|aarch64|arm\\w*|powerpc64le|ppc64le|s390x|riscv64|mips\\w*)-(?:\\w+-)?linux-\\w+';
const before = new RegExp(`^${triplet}-`);
const after = new RegExp(`-${triplet}$`);
/** `3.11`, `-12`, `5.36.0`. The letter marks Python's builds of other ABIs. */
const version = /[-.]?\d[\d.]*[dmt]?$/;

/** NAME_MAX. The time of the pattern of versions grows with the square of the length. */
const longestName = 255;

/**
 * Returns the kind of a program by its file name, without version and target (`x86_64-linux-gnu-gcc-12`); null for a name that is
 * not in the table.
 */
export function programKind(name: string): ProgramKind | null {
  const exact = kinds.get(name);
  if (exact !== undefined) return exact;
  // Cutting off a version or a target changes no other name.
  if (name.length > longestName || !/\d|linux/.test(name)) return null;
  const plain = name.replace(before, '').replace(after, '');
  return kinds.get(plain) ?? kinds.get(plain.replace(version, '')) ?? null;
}
