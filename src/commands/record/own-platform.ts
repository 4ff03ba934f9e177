import type { Platform } from '../../oci/platform.ts';

/** Returns the platform of this machine, as images name it. */
export function ownPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  const { platform, arch } = process;
  return { os: platform, architecture: names[arch] ?? arch };
}
