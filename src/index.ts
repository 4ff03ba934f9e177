/**
 * The public API of ocislim. Open a source and a target, choose transforms, `run` them, `buildReport` what happened:
 *
 *     const clients = new RegistryClients();
 *     const options = { listener, credentials: anonymous, clients, … };
 *     const source = await openSource(parseReference('registry.example/app:1'), options);
 *     const target = await openTarget([parseReference('registry.example/app:1-slim')], options, signal);
 *     const outcome = await run({ source, target, transform: pipe(squash({ kind: 'last', count: 3 }), …), … });
 *
 * Nothing here prints; what happens meanwhile goes to the listener.
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
  type Labelling,
  type MinSavings,
  pipe,
  type Plan,
  type Transform,
  type TuningGoal,
} from './image/image.ts';
export type { Rule } from './image/rule.ts';
export type { Selection } from './image/selection.ts';
export type { Granularity, TraceData, TracePruning } from './image/trace-pruning.ts';

export { type Preset, presets, expandPresets, safePresets } from './slim/presets.ts';
export { arrange, type ArrangeOptions } from './slim/arrange.ts';
export { prune, type PruneOptions } from './slim/prune.ts';
export { parseRule, parseRules } from './slim/rules.ts';
export { restore, type RestoreOptions } from './slim/restore.ts';
export { squash } from './slim/squash.ts';
export { mergeTraces } from './slim/trace/merge.ts';
export type { Trace } from './slim/trace/trace.ts';
export { toTraceData } from './slim/trace/trace-data.ts';
export { TraceReader } from './slim/trace/trace-reader.ts';

export type { GzipEngine, PackedEncoding } from './codec/encoding.ts';
export { createEncoderPool, type EncoderPool } from './codec/encoder-pool.ts';
export { recompress } from './compress/recompress.ts';
export { repackBetter } from './compress/repack.ts';
export { tune, type TuneOptions } from './compress/tune.ts';

export { BlobCache, type CacheOptions } from './store/cache/blob-cache.ts';
export { openSource, openTarget } from './store/open.ts';
export type { Source, Target } from './store/place.ts';
export { RegistryClients } from './store/registry/clients.ts';
export { anonymous, type Credential, type CredentialLookup } from './store/registry/auth/credential.ts';
export { createCredentialLookup, type CredentialOptions } from './store/registry/auth/credentials.ts';
export {
  type CertificateOptions,
  type Certificates,
  createCertificates,
} from './store/registry/tls/certificates.ts';
export type { RegistryOptions } from './store/registry/lease.ts';
export type { MirrorOptions } from './store/registry/mirrored-source.ts';
export { type Mirror, type Mirrors, parseMirrors } from './store/registry/mirrors.ts';
export { createProxyLookup, type Proxy, proxyFor, type ProxyLookup } from './store/registry/http/proxy.ts';
export { type RegistryServer, type ServeOptions, serveRegistry } from './store/server/serve-registry.ts';

export { findOriginals, type OriginalOptions, type Originals } from './execute/originals.ts';
export { exportRootfs } from './execute/export.ts';
export { identity, run, type RunOptions, type RunOutcome } from './execute/run.ts';
export { verifyImages, type Verification } from './execute/verify.ts';

export { buildReport, type ReportContext } from './report/build.ts';
export { renderJson } from './report/json.ts';
export { renderMarkdown } from './report/markdown.ts';
export type { Report } from './report/report.ts';
