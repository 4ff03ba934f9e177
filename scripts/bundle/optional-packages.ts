/**
 * Packages that others import where they are installed, and that no command uses: the writer of XML of the CycloneDX library. Bundles leave
 * them out.
 */
export const optionalPackages: string[] = ['xmlbuilder2'];
