/**
 * Turns an analysis into the document that is printed as JSON: names as text, numbers that JSON has, commands ready to copy. The
 * renderer of JSON and the gates' documents call it.
 */
import type * as z from 'zod';
import type { Analysis, AnalyzedSurface, SizedPath, WasteFinding } from '../../analyze/analysis.ts';
import { maskSecrets } from '../../analyze/instruction-secrets.ts';
import { surfaceKinds } from '../../rootfs/surface/surface.ts';
import { pathFields } from '../escape.ts';
import type { Tool } from './analyzed.ts';
import { commandLine } from './command-line.ts';
import type { analysisSchema } from './schema.ts';
import { shownInstruction } from './words.ts';

/** The name of the JSON Schema of analyses. A new version gets a new one. */
export const analysisId = 'urn:ocislim:schema:analysis:1';

/** An analysis as JSON. Version 1; `schema.ts` documents each field. */
export type AnalysisDocument = z.infer<typeof analysisSchema>;

/** Makes the document of an analysis. */
export function analysisDocument(analysis: Analysis, tool: Tool): AnalysisDocument {
  const { image, layers, dive, savings, surface } = analysis;
  const { name: reference, ...rest } = image;
  const { wastedUserPercent } = dive;
  const withCommand = <T extends { command: readonly string[] }>({ command, ...saving }: T) => ({
    ...saving,
    command: commandLine(command, reference),
    arguments: [...command],
  });
  return {
    $id: analysisId,
    analysisVersion: 1,
    tool: { ...tool },
    image: { reference, ...rest, config: copyOf(image.config) },
    layers: layers.map(({ instruction, ...layer }) => ({
      ...layer,
      createdBy: instruction === null ? null : maskSecrets(instruction),
      instruction: instruction === null ? '' : shownInstruction(instruction),
    })),
    totals: { ...analysis.totals },
    dive: {
      ...dive,
      wastedUserPercent: Number.isFinite(wastedUserPercent) ? wastedUserPercent : null,
      inefficient: dive.inefficient.map(withFields),
    },
    findings: analysis.findings.map((finding) => findingOf(finding, reference)),
    largestFiles: analysis.largestFiles.map(withFields),
    largestDirectories: analysis.largestDirectories.map(withFields),
    packages: analysis.packages.map((each) => ({ ...each })),
    unreadDatabases: analysis.unreadDatabases.map(withFields),
    surface: surface === null ? null : surfaceOf(surface),
    savings:
      savings === null
        ? null
        : {
            squash: withCommand(savings.squash),
            prune: withCommand(savings.prune),
            recompress: withCommand(savings.recompress),
          },
  };
}

function copyOf(config: Analysis['image']['config']): AnalysisDocument['image']['config'] {
  const { entrypoint, cmd, ports, volumes, labels } = config;
  return {
    ...config,
    entrypoint: [...entrypoint],
    cmd: [...cmd],
    ports: [...ports],
    volumes: [...volumes],
    labels: { ...labels },
  };
}

/** Puts the fields of a document in the place of a path. */
function withFields<T extends { readonly path: SizedPath['path'] }>({ path, ...rest }: T) {
  return { ...pathFields(path), ...rest };
}

function findingOf(
  { places, command, ...finding }: WasteFinding,
  reference: string,
): AnalysisDocument['findings'][number] {
  return {
    ...finding,
    places: places.map(withFields),
    command: command === null ? null : commandLine(command, reference),
    arguments: command === null ? null : [...command],
  };
}

function surfaceOf({ files, isRoot, secretVariables, secretFiles }: AnalyzedSurface) {
  return {
    isRoot,
    files: surfaceKinds.map((kind) => ({
      kind,
      files: files[kind].map(({ path, names }) => ({
        ...pathFields(path),
        ...(names.length === 0 ? {} : { names: names.map((name) => pathFields(name).path) }),
      })),
    })),
    secretVariables: [...secretVariables],
    secretFiles: secretFiles.map(withFields),
  };
}
