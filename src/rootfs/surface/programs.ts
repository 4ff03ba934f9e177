/** What a program is to someone who has broken in. */
export type ProgramKind = 'shell' | 'package-manager' | 'interpreter' | 'compiler' | 'network-tool';

/** Names without versions: `python` stands for `python3.11` too. */
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

/** All names of a kind, without versions. */
export function programsOf(kind: ProgramKind): readonly string[] {
  return names[kind].split(' ');
}

const triplet =
  '(?:x86_64|i[3-6]86|aarch64|arm\\w*|powerpc64le|ppc64le|s390x|riscv64|mips\\w*)-(?:\\w+-)?linux-\\w+';
const before = new RegExp(`^${triplet}-`);
const after = new RegExp(`-${triplet}$`);
/** `3.11`, `-12`, `5.36.0`; Python's builds of other ABIs have a letter. */
const version = /[-.]?\d[\d.]*[dmt]?$/;

/** NAME_MAX. What a version costs grows with the square of a name's length. */
const longestName = 255;

/** What a file in a directory of programs is by its name, version and target (`x86_64-linux-gnu-gcc-12`) aside; null for others. */
export function programKind(name: string): ProgramKind | null {
  const exact = kinds.get(name);
  if (exact !== undefined) return exact;
  // No other name becomes one of the table by what is cut off.
  if (name.length > longestName || !/\d|linux/.test(name)) return null;
  const plain = name.replace(before, '').replace(after, '');
  return kinds.get(plain) ?? kinds.get(plain.replace(version, '')) ?? null;
}
