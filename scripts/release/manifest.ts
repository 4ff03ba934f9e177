/** Reads what package.json says of ocislim. Every part of a release takes its name, version and addresses from here. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout, with `/` at its end. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** The members of package.json that a release looks at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  /** The name and address of the maintainer, `Name <address>`, once a maintainer has filled it in. */
  readonly author?: string;
  readonly homepage?: string;
  readonly repository?: string | { readonly url: string };
  readonly [member: string]: unknown;
}

/** Reads package.json of this checkout. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
}

/** Returns the address of the repository for browsers; null as long as package.json has none, or one with the placeholder OWNER. */
export function repositoryOf({ repository }: Manifest): string | null {
  const url = typeof repository === 'string' ? repository : repository?.url;
  if (url === undefined || url === '' || url.includes('/OWNER/')) return null;
  return url.replace(/^git\+/, '').replace(/\.git$/, '');
}
