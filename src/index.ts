/**
 * The public API of ocislim. Open a source and a target, choose transforms, `run` them, `buildReport` what happened:
 *
 *     const clients = new RegistryClients();
 *     const options = { listener, credentials: anonymous, clients, … };
 *     const source = await openSource(parseReference('registry.example/app:1'), options);
 *     const target = await openTarget([parseReference('registry.example/app:1-slim')], options, signal);
 *     const outcome = await run({ source, target, transform: pipe(squash({ kind: 'last', count: 3 }), …), … });
 *
 * The library prints nothing: the listener receives warnings and progress.
 */
export { type ErrorCode, errorCodes, OcislimError } from './errors.ts';
export { type Listener, type ProgressEvent, silent, type TaskPhase, type WarningCode } from './events.ts';

export type { Descriptor } from './oci/descriptor.ts';
export { type Digest, isDigest } from './oci/digest.ts';
export { formatPlatform, parsePlatform, type Platform } from './oci/platform.ts';
export { formatReference, parseReference, type Reference } from './oci/reference.ts';

export {
  type Effort,
  type Image,
  type MinSavings,
  pipe,
  type Plan,
  type Transform,
  type TuningGoal,
} from './image/image.ts';
export { type CommandEdit, type ConfigEdit, type HealthcheckEdit, noEdit } from './image/config-edit.ts';
export { annotate, applyConfig, configure } from './configure/configure.ts';
export type { Rule } from './rules/rule.ts';
export type { Selection } from './image/selection.ts';
export type { Granularity, TraceData, TracePruning } from './image/trace-pruning.ts';

export {
  arrange,
  type ArrangeOptions,
  expandPresets,
  type Preset,
  presets,
  prune,
  type PruneOptions,
  relayer,
  type RelayerOptions,
  restore,
  type RestoreOptions,
  safePresets,
  squash,
} from './slim/index.ts';
export type { ImageDiff } from './analyze/diff/image-diff.ts';
export { parseRule, parseRules } from './rules/rules.ts';
export { mergeTraces } from './trace/merge.ts';
export type { Trace } from './trace/trace.ts';
export { toTraceData } from './trace/trace-data.ts';
export { TraceReader } from './trace/trace-reader.ts';

export type { GzipEngine, PackedEncoding } from './codec/encoding.ts';
export { createEncoderPool, type EncoderPool } from './codec/encoder-pool.ts';
export type { GzipBlock } from './codec/gzip-block.ts';
export { gzipBlocks, type GzipBlocksOptions, type GzipPiece } from './codec/gzip-blocks.ts';
export { recompress, repackBetter, tune, type TuneOptions } from './compress/index.ts';

export type { Source, Target } from './place/place.ts';
export {
  anonymous,
  type CertificateOptions,
  type Certificates,
  createCertificates,
  createCredentialLookup,
  createProxyLookup,
  type Credential,
  type CredentialLookup,
  type CredentialOptions,
  type Mirror,
  type MirrorOptions,
  type Mirrors,
  parseMirrors,
  type Proxy,
  proxyFor,
  type ProxyLookup,
  RegistryClients,
  type RegistryOptions,
  Secret,
} from './registry/index.ts';
export {
  BlobCache,
  type CacheOptions,
  type RegistryServer,
  type ServeOptions,
  serveRegistry,
} from './store/index.ts';

export {
  exportRootfs,
  findOriginals,
  identity,
  openSource,
  openTarget,
  type OriginalOptions,
  type Originals,
  run,
  type RunOptions,
  type RunOutcome,
  type Verification,
  verifyImages,
} from './jobs/index.ts';

export { buildReport, type ReportContext } from './report/build.ts';
export { renderJson } from './report/json.ts';
export { renderMarkdown } from './report/markdown.ts';
export type { Report } from './report/report.ts';
