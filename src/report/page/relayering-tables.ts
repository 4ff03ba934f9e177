/**
 * Tables of the page about new layers: what updates download before and after, what is in each layer, and what a client of each version
 * downloads for each other. `run-tables.ts` puts them among those of a run.
 */
import { chanceText, componentText, relayeringFigures } from '../relayering-text.ts';
import type { PlatformReport, RelayeringReport } from '../report.ts';
import type { DataTable } from './page.ts';
import { versionTables } from './version-tables.ts';

/** Makes the tables; none for a run that lays nothing out. */
export function relayeringTables({ relayering }: PlatformReport): readonly DataTable[] {
  if (relayering === undefined) return [];
  const { versions = [] } = relayering;
  return [downloadTable(relayering), ...versionTables(versions), layerTable(relayering)];
}

function downloadTable(relayering: RelayeringReport): DataTable {
  return {
    title: 'What updates download',
    note: 'Expected: over all layers, size × the chance that something in the layer changes.',
    columns: [
      { title: 'Download', unit: 'text' },
      { title: 'Before', unit: 'bytes' },
      { title: 'After', unit: 'bytes' },
      { title: 'Layers', unit: 'text' },
      { title: 'Exact', unit: 'text' },
    ],
    rows: relayeringFigures(relayering).map(({ label, before, after, isEstimate, remark }, i) => [
      label,
      before,
      after,
      i === 0 ? null : remark,
      isEstimate ? 'estimated' : 'exact',
    ]),
  };
}

function layerTable({ layers }: RelayeringReport): DataTable {
  return {
    title: 'What is in each layer',
    note: null,
    columns: [
      { title: 'Layer', unit: 'count' },
      { title: 'Transfer size', unit: 'bytes' },
      { title: 'Changes', unit: 'text' },
      { title: 'Expected', unit: 'bytes' },
      { title: 'Holds', unit: 'path' },
    ],
    rows: layers.map((layer) => [
      layer.number,
      layer.transferBytes,
      chanceText(layer.change),
      layer.expectedBytes,
      componentText(layer),
    ]),
  };
}
