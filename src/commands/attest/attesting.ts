/**
 * Signs the result of a job and states how it was made (--sign-key, --provenance). `rewrite.ts` opens one before anything is read, so
 * that a key which cannot be used stops the job early; the run calls `attach` when everything but the names is written.
 */
import { signStatement } from '../../attest/bundle.ts';
import { attestationTypes, knownTypes, typeNames } from '../../attest/names.ts';
import type { Signer } from '../../attest/signing-key.ts';
import { encodeStatement, signatureStatement } from '../../attest/statement.ts';
import { at, OcislimError } from '../../errors.ts';
import { attachArtifact, type NewArtifact } from '../../jobs/attach.ts';
import type { RunOutcome } from '../../jobs/rewrite/records.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { Target } from '../../place/place.ts';
import { buildReport } from '../../report/build.ts';
import { formatTime } from '../../report/figures.ts';
import type { Report } from '../../report/report.ts';
import { limitsOf } from '../../settings/limits.ts';
import type { RewritingSettings } from '../../settings/tables/commands.ts';
import type { Surroundings } from '../surroundings.ts';
import { version } from '../version.ts';
import type { Attestation } from './attestation.ts';
import { openSigner } from './sign-key.ts';
import { type AboutResult, type Circumstances, statementsOf } from './statements.ts';

/** The settings that ask for statements and signatures. */
export type AttestingSettings = Pick<
  RewritingSettings,
  'provenance' | 'signKey' | 'builderId' | 'sourceDateEpoch' | 'limit'
>;

/** The job whose result is attested. */
export interface AttestedJob {
  readonly command: string;
  readonly source: Reference;
  readonly destinations: readonly Reference[];
  readonly settings: AttestingSettings;
  /** The bases that the job has read by then. */
  readonly bases: () => Circumstances['bases'];
}

/** What is stated and signed about the result of one job. */
export class Attesting {
  readonly #job: AttestedJob;
  readonly #signer: Signer | null;
  readonly #signal: AbortSignal;
  readonly #started = new Date();
  readonly #made: Attestation[] = [];

  /**
   * Reads the key. Returns null where nothing is asked for.
   * @throws USAGE for a key that cannot be used, and for a destination that holds nothing about an image; IO, LIMIT
   */
  static async open(job: AttestedJob, surroundings: Surroundings): Promise<Attesting | null> {
    const { provenance, signKey, limit } = job.settings;
    if (provenance.length === 0 && signKey === null) return null;
    if (signKey !== null || provenance.includes('attach')) refuseUnfit(job);
    const holder = { ...surroundings, limits: limitsOf(limit) };
    const signer = signKey === null ? null : await openSigner(signKey, holder);
    return new Attesting(job, signer, surroundings.signal);
  }

  private constructor(job: AttestedJob, signer: Signer | null, signal: AbortSignal) {
    this.#job = job;
    this.#signer = signer;
    this.#signal = signal;
  }

  /** What was made so far. */
  get made(): readonly Attestation[] {
    return this.#made;
  }

  /** Makes all statements about a result, and writes them beside it. @throws whatever targets throw, with the option before the message */
  async attach(outcome: RunOutcome, target: Target): Promise<void> {
    const { root } = outcome;
    if (root === null) return;
    const { provenance } = this.#job.settings;
    const statements = this.#statements(outcome);
    try {
      // Some registries do not take what refers to a manifest that they lack.
      await target.putManifest(root, this.#signal);
      if (this.#signer !== null)
        await this.#add(
          { statement: signatureStatement(root.descriptor.digest), subject: root.descriptor },
          target,
        );
      for (const each of statements) await this.#add(each, provenance.includes('attach') ? target : null);
    } catch (error) {
      throw at(this.#signer === null ? '--provenance' : '--sign-key', error);
    }
  }

  /** Says in a report what was made, or, in that of a dry run, what would be. */
  report({ root }: Pick<RunOutcome, 'root'>): NonNullable<Report['attestations']> {
    const signer = this.#signer;
    const key = signer === null ? null : { kind: signer.kind, hint: signer.hint };
    const statements = this.#made.map(({ predicateType, subject, attached }) => ({
      predicateType,
      subject,
      isAttached: attached !== null,
      manifest: attached,
    }));
    return { key, statements: root === null ? this.#planned() : statements };
  }

  /** Lists the kinds of statements that a run would make. */
  #planned(): NonNullable<Report['attestations']>['statements'] {
    const { provenance, signKey } = this.#job.settings;
    const row = (predicateType: string, isAttached: boolean) => ({
      predicateType,
      subject: null,
      isAttached,
      manifest: null,
    });
    const isAttached = provenance.includes('attach');
    return [
      ...(signKey === null ? [] : [row(knownTypes.signature, true)]),
      ...(provenance.length === 0
        ? []
        : [row(typeNames.equivalence, isAttached), row(knownTypes.provenance, isAttached)]),
    ];
  }

  #statements(outcome: RunOutcome): readonly AboutResult[] {
    const { command, source, destinations, settings, bases } = this.#job;
    if (settings.provenance.length === 0) return [];
    const report = buildReport(outcome, {
      tool: { name: 'ocislim', version },
      command,
      sourceReference: formatReference(source),
      destinationReferences: destinations.map(formatReference),
      warnings: [],
      squashOrigin: '--squash',
    });
    return statementsOf(outcome, report, {
      command,
      source,
      destination: destinations[0] ?? null,
      builderId: settings.builderId,
      bases: bases(),
      epoch: settings.sourceDateEpoch,
      started: this.#started,
    });
  }

  /** Makes one statement; `target` is null where it goes to files alone. */
  async #add({ statement, subject }: AboutResult, target: Target | null): Promise<void> {
    const signer = this.#signer;
    const bytes = signer === null ? encodeStatement(statement) : signStatement(statement, signer);
    const { predicateType } = statement;
    const attached =
      target === null
        ? null
        : await attachArtifact(target, this.#artifact(bytes, predicateType, subject), this.#signal);
    const text = Buffer.from(bytes).toString('utf8');
    this.#made.push({ predicateType, subject: subject.digest, attached: attached?.digest ?? null, text });
  }

  /** Puts the artifact that holds a statement together: signed as cosign does (cosign, "BUNDLE_SPEC.md"), else as BuildKit names statements. */
  #artifact(bytes: Uint8Array, predicateType: string, subject: Descriptor): NewArtifact {
    const { sourceDateEpoch: epoch } = this.#job.settings;
    const created = {
      'org.opencontainers.image.created': formatTime(epoch === null ? new Date() : new Date(epoch * 1000)),
    };
    if (this.#signer === null) {
      const mediaType = attestationTypes.statement;
      const annotations = { 'in-toto.io/predicate-type': predicateType };
      return {
        subject,
        artifactType: mediaType,
        annotations: { ...annotations, ...created },
        blobs: [{ mediaType, bytes, annotations }],
      };
    }
    const mediaType = attestationTypes.bundle;
    const annotations = {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
      ...created,
    };
    return { subject, artifactType: mediaType, annotations, blobs: [{ mediaType, bytes }] };
  }
}

/** Refuses a destination in which nothing can stand beside an image. @throws USAGE */
function refuseUnfit({ destinations, settings: { signKey } }: AttestedJob): void {
  const archive = destinations.find(({ kind }) => kind === 'docker-archive');
  if (archive === undefined) return;
  const option = signKey === null ? '--provenance' : '--sign-key';
  throw new OcislimError(
    'USAGE',
    `${option}: a docker-archive holds nothing about its image, so ${formatReference(archive)} cannot be signed`,
    {
      advice:
        'Write to a registry, a layout or an OCI archive; --provenance=FILE alone writes statements to a file.',
    },
  );
}
