/**
 * Writes the names of `scripts/release/project.json` into package.json and the files for CI services: `npm run project`. With
 * `--release` it writes nothing, and fails while a name is missing: the release workflow begins with it.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readManifest, root } from './release/manifest.ts';
import {
  namingFiles,
  readNaming,
  readProject,
  typeNamingFiles,
  withNames,
  withRepository,
  withTypes,
} from './release/project.ts';

const { values } = parseArgs({ options: { release: { type: 'boolean' } } });
const project = readProject();
const missing = Object.entries(project).filter(([, value]) => value === null);

if (values.release !== true) {
  const manifest = withRepository(readManifest(), project);
  writeFileSync(`${root}package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  for (const file of namingFiles)
    writeFileSync(`${root}${file}`, withNames(readNaming(file), project, readManifest().version));
  for (const file of typeNamingFiles) writeFileSync(`${root}${file}`, withTypes(readNaming(file), project));
} else if (missing.length > 0) {
  const names = missing.map(([name]) => name).join(', ');
  process.stderr.write(
    `scripts/release/project.json has no ${names}: fill it in, and run "npm run project"\n`,
  );
  process.exitCode = 1;
}
