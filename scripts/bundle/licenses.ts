/** Collects the licences of the packages that went into a bundle. */
import { readdirSync, readFileSync } from 'node:fs';

/** Returns the licence texts that the packages of bundled modules demand in every copy, by their names. @throws Error for one without */
export function licensesOf(moduleIds: readonly string[]): string {
  const packages = new Set(
    moduleIds.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
  );
  return [...packages].toSorted().map(licenseOf).join('\n');
}

function licenseOf(directory: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as Record<
    string,
    unknown
  >;
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${String(name)} comes without its licence`);
  return `${String(name)} ${String(version)} (${String(license)})\n\n${readFileSync(`${directory}/${file}`, 'utf8')}`;
}
