/** The action `show` of `trace`. With --image it also reads an image and counts the use of its packages. */
import type { PackageUsage } from '../../closure/package-usage.ts';
import type { Trace } from '../../trace/trace.ts';
import { inTurns } from '../../steps.ts';
import type { TraceCall } from './trace-call.ts';
import { readNamedTrace } from './trace-input.ts';

/** Runs `trace show FILE…`: prints what traces saw, for people or as JSON. @throws USAGE, TRACE_INVALID, and whatever reading an image throws */
export async function showTrace(call: TraceCall): Promise<number> {
  const { summarySteps } = await import('../../trace/trace-summary.ts');
  const { renderTrace, traceJson } = await import('../../report/trace-text.ts');
  const { chooseStyle } = await import('../../report/style.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const trace = await readNamedTrace(call);
  const { settings, console } = call;
  const { image } = settings;
  const packages = image === null ? null : await usageIn(image, trace, call);
  const description = { trace, summary: await inTurns(summarySteps(trace), console.signal), packages };
  if (settings.format === 'json')
    console.stdout.write(`${safeJsonText(JSON.stringify(traceJson(description), null, 2))}\n`);
  else {
    const style = chooseStyle(console.env, process.stdout.isTTY);
    const limit = settings.verbose ? Number.POSITIVE_INFINITY : undefined;
    console.stdout.write(renderTrace(description, style, limit));
  }
  return 0;
}

/** How much of each package of an image the trace used. @throws what reading an image throws */
async function usageIn(reference: string, trace: Trace, call: TraceCall): Promise<readonly PackageUsage[]> {
  const { parsePlatform } = await import('../../oci/platform.ts');
  const { packageProbe, packagesOf } = await import('../../rootfs/packages/package-index.ts');
  const { usageSteps } = await import('../../closure/package-usage.ts');
  const { readRuntime } = await import('../../oci/runtime.ts');
  const { placeSteps } = await import('../../trace/place.ts');
  const { utf8Bytes } = await import('../../bytes/bytes.ts');
  const { inspectNamed } = await import('./trace-image.ts');
  const own = trace.platform === null ? null : parsePlatform(trace.platform);
  const { image, fs, facts } = await inspectNamed(reference, own, packageProbe, call);
  const { workingDirectory } = readRuntime(image.config);
  const { signal } = call.console;
  const placed = await inTurns(placeSteps(trace, utf8Bytes(workingDirectory)), signal);
  return inTurns(usageSteps(packagesOf({ fs, facts }), fs, placed), signal);
}
