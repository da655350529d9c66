/** `--trust FILE`, for commander; repeated where there are several. */
export const TRUST = [
  '--trust <file>',
  'certificate (PEM) that signers of packages chain to; may be repeated',
  (file: string, before: readonly string[]): readonly string[] => [...before, file],
  [] as readonly string[],
] as const;
