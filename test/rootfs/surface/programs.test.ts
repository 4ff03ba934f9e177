import { describe, expect, it } from 'vitest';
import { programKind, programsOf } from '../../../src/rootfs/surface/programs.ts';

describe('programKind', () => {
  it.each([
    ['sh', 'shell'],
    ['zsh-5.9', 'shell'],
    ['ksh93', 'shell'],
    ['python3.11', 'interpreter'],
    ['python3', 'interpreter'],
    ['python3.13t', 'interpreter'],
    ['perl5.36-x86_64-linux-gnu', 'interpreter'],
    ['php8.2', 'interpreter'],
    ['lua5.4', 'interpreter'],
    ['tclsh8.6', 'interpreter'],
    ['pip3.12', 'package-manager'],
    ['dnf5', 'package-manager'],
    ['dnf-3', 'package-manager'],
    ['cpan5.36-x86_64-linux-gnu', 'package-manager'],
    ['x86_64-linux-gnu-gcc-12', 'compiler'],
    ['aarch64-linux-gnu-g++-12', 'compiler'],
    ['x86_64-alpine-linux-musl-gcc', 'compiler'],
    ['arm-linux-gnueabihf-ld', 'compiler'],
    ['nc.openbsd', 'network-tool'],
  ])('knows %s as a %s', (name, kind) => expect(programKind(name)).toBe(kind));

  it.each([
    '',
    'ls',
    'python3-config',
    'gcc-ar-12',
    'ssh-keygen',
    'perlbug',
    'bashbug',
    '7z',
    'linux64',
    'constructor',
    'sh.distrib',
  ])('does not know %j', (name) => expect(programKind(name)).toBeNull());

  it('has each name in one kind only', () => {
    const all = (['shell', 'package-manager', 'interpreter', 'compiler', 'network-tool'] as const).flatMap(
      programsOf,
    );
    expect(all.length).toBe(new Set(all).size);
  });
});
