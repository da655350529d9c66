import { CliFailure, EXIT } from './failure.ts';

/** `--trust FILE`, for commander; repeated where there are several. */
export const TRUST = [
  '--trust <file>',
  'certificate (PEM) that signers of packages chain to; may be repeated',
  (file: string, before: readonly string[]): readonly string[] => [...before, file],
  [] as readonly string[],
] as const;

/** @throws CliFailure when signatures are required of nobody: no package would be good enough */
export function checkTrust(requireSignature: boolean, trust: readonly string[]): void {
  if (requireSignature && trust.length === 0)
    throw new CliFailure(EXIT.usage, '--require-signature needs --trust: name a certificate to trust');
}
