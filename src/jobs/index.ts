/**
 * The room `jobs`: whole jobs over images, from opening places to publishing the result: rewriting, comparing, exporting,
 * recording. It knows nothing of options, terminals or the form of reports; this file is what programs outside may use.
 */
export { type Verification, verifyImages } from './compare/verify.ts';
export { exportRootfs } from './export.ts';
export { openSource, openTarget } from './open.ts';
export { findOriginals, type OriginalOptions, type Originals } from './originals.ts';
export { identity, run, type RunOptions, type RunOutcome } from './rewrite/run.ts';
